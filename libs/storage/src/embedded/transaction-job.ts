import type { Lane, Seq } from '@tidemark/protocol';
import type { CommitPlan, LaneEpoch, Snapshot, TransactionRequest } from '../port.ts';
import { StoreError } from '../store-error.ts';
import type { Job } from './committer.ts';
import type { RowWrite, Tables } from './environment.ts';
import { type IndexCatalog, IndexWriter } from './index-catalog.ts';
import { lanePrefix, logRowKey, outcomeRowKey, supersededRowKey } from './keys.ts';
import { encodeLaneState, type LaneState, laneStateKey } from './lane-state.ts';
import { RequestSnapshot } from './request-snapshot.ts';
import { DocumentTexts, encodeApplied, encodeEntry, encodeState, encodeSuperseded } from './rows.ts';

export interface TransactionContext {
  readonly tables: Tables;
  readonly catalog: IndexCatalog;
  readonly epoch: LaneEpoch;
}

/** The job of one `transact`. The plan is checked and turned into rows before anything is written. */
export function transactionJob<T>(
  context: TransactionContext,
  request: TransactionRequest,
  decide: (snapshot: Snapshot) => { plan: CommitPlan; result: T },
): Job<T> {
  return {
    weight: request.documents.length + 1,
    run(view) {
      const { tables, epoch } = context;
      if (request.epoch !== epoch.epoch) {
        throw new StoreError('stale_epoch', `epoch ${request.epoch} is over, the current one is ${epoch.epoch}`);
      }
      const texts = new DocumentTexts();
      const snapshot = new RequestSnapshot(request, { view, tables, texts, epoch });
      checkFences(request, snapshot);
      const { plan, result } = decide(snapshot);
      const indexes = new IndexWriter(context.catalog, view);
      return { writes: new PlanRows(context, request, { snapshot, texts, indexes }).of(plan), result };
    },
  };
}

function checkFences({ fences = [] }: TransactionRequest, snapshot: RequestSnapshot): void {
  const late = fences.find(({ lane, token }) => token < snapshot.lane(lane).fence);
  if (late) throw StoreError.fenced(late.lane, snapshot.lane(late.lane).fence);
}

interface PlanTools {
  readonly snapshot: RequestSnapshot;
  readonly texts: DocumentTexts;
  readonly indexes: IndexWriter;
}

/** Turns a plan into rows; throws StoreError `invalid` for a plan that would break what the store promises. */
class PlanRows {
  readonly #tables: Tables;
  readonly #epoch: LaneEpoch;
  readonly #request: TransactionRequest;
  readonly #tools: PlanTools;
  readonly #rows: RowWrite[] = [];
  readonly #outcomes = new Set<string>();
  readonly #heads = new Map<Lane, Seq>();

  constructor(context: TransactionContext, request: TransactionRequest, tools: PlanTools) {
    this.#tables = context.tables;
    this.#epoch = context.epoch;
    this.#request = request;
    this.#tools = tools;
  }

  of(plan: CommitPlan): readonly RowWrite[] {
    this.#addEntries(plan);
    this.#addStates(plan);
    this.#addSuperseded(plan);
    if (this.#rows.length > 0) this.#addLanes();
    return this.#rows;
  }

  #addEntries({ entries }: CommitPlan): void {
    for (const entry of entries) {
      this.#advance(entry.lane, entry.seq);
      if (entry.epoch !== this.#epoch.epoch) throw new StoreError('invalid', 'an entry is of another epoch');
      const value = encodeEntry(entry, this.#tools.texts);
      this.#put(this.#tables.log, logRowKey(lanePrefix(entry.epoch, entry.lane), entry.seq), value);
      this.#put(this.#tables.outcomes, this.#newOutcome(outcomeRowKey(entry)), encodeApplied(entry));
    }
  }

  #advance(lane: Lane, seq: Seq): void {
    const head = this.#heads.get(lane) ?? this.#tools.snapshot.head(lane);
    if (seq !== head + 1) throw new StoreError('invalid', `seq ${seq} does not follow ${head} on lane ${lane}`);
    this.#heads.set(lane, seq);
  }

  #newOutcome(key: string): string {
    if (this.#outcomes.has(key) || this.#tools.snapshot.outcomeRow(key) !== undefined) {
      throw new StoreError('invalid', 'a change has an outcome already');
    }
    this.#outcomes.add(key);
    return key;
  }

  #addStates({ states }: CommitPlan): void {
    const { snapshot, texts, indexes } = this.#tools;
    const written = new Set<string>();
    for (const { ref, state } of states) {
      const key = snapshot.keyOf(ref);
      if (written.has(key)) throw new StoreError('invalid', 'a document has two states');
      written.add(key);
      this.#put(this.#tables.documents, key, encodeState(state, texts));
      const index = indexes.of(ref.collection);
      if (index.paths.length > 0) this.#rows.push(...index.changes(ref.key, snapshot.stateAt(key), state));
    }
    this.#rows.push(...indexes.registrations());
  }

  #addSuperseded({ superseded }: CommitPlan): void {
    for (const outcome of superseded) {
      const key = this.#newOutcome(outcomeRowKey(outcome));
      this.#put(this.#tables.outcomes, key, encodeSuperseded(outcome));
      this.#put(this.#tables.superseded, supersededRowKey(outcome.committedAt, key), '');
    }
  }

  #addLanes(): void {
    const { fences = [], lanes } = this.#request;
    for (const lane of lanes) {
      const old = this.#tools.snapshot.lane(lane);
      const head = this.#heads.get(lane) ?? old.head;
      const token = fences.find((fence) => fence.lane === lane)?.token ?? old.fence;
      if (head !== old.head || token !== old.fence) this.#putLane(lane, { head, trimmed: old.trimmed, fence: token });
    }
  }

  #putLane(lane: Lane, state: LaneState): void {
    this.#put(this.#tables.meta, laneStateKey(this.#epoch.epoch, lane), encodeLaneState(state));
  }

  #put(table: RowWrite['table'], key: string, value: string): void {
    this.#rows.push({ table, key, value });
  }
}
