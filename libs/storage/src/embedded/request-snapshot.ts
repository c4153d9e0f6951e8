import type { Lane, Seq } from '@tidemark/protocol';
import type {
  ChangeRef,
  DocumentRef,
  LaneEpoch,
  RecordedOutcome,
  Snapshot,
  StoredState,
  TransactionRequest,
} from '../port.ts';
import { StoreError } from '../store-error.ts';
import type { View } from './committer.ts';
import type { Tables } from './environment.ts';
import { documentRowKey, lanePrefix, logRowKey, outcomeRowKey } from './keys.ts';
import { decodeLaneState, type LaneState, laneStateKey } from './lane-state.ts';
import {
  appliedOutcome,
  type DocumentTexts,
  decodeApplied,
  decodeEntry,
  decodeState,
  decodeSuperseded,
} from './rows.ts';

export interface SnapshotSource {
  readonly view: View;
  readonly tables: Tables;
  readonly texts: DocumentTexts;
  readonly epoch: LaneEpoch;
}

/** Reads on demand, each thing once; what the request does not name is refused, as it would not be there elsewhere. */
export class RequestSnapshot implements Snapshot {
  readonly #source: SnapshotSource;
  readonly #lanes = new Map<Lane, LaneState>();
  readonly #documentKeys = new Set<string>();
  readonly #outcomeKeys = new Set<string>();
  readonly #states = new Map<string, StoredState | undefined>();
  readonly #outcomeRows = new Map<string, string | undefined>();

  constructor(request: TransactionRequest, source: SnapshotSource) {
    this.#source = source;
    for (const lane of request.lanes) this.#lanes.set(lane, this.#readLane(lane));
    for (const ref of request.documents) this.#documentKeys.add(documentRowKey(ref.collection, ref.key));
    for (const ref of request.changes) this.#outcomeKeys.add(outcomeRowKey(ref));
  }

  head(lane: Lane): Seq {
    return this.lane(lane).head;
  }

  lane(lane: Lane): LaneState {
    const state = this.#lanes.get(lane);
    if (!state) throw new StoreError('invalid', `lane ${lane} is not named by the request`);
    return state;
  }

  state(ref: DocumentRef): StoredState | undefined {
    return this.stateAt(this.keyOf(ref));
  }

  /** The row of a document that the request names. */
  keyOf(ref: DocumentRef): string {
    const key = documentRowKey(ref.collection, ref.key);
    if (!this.#documentKeys.has(key)) throw new StoreError('invalid', 'a document is not named by the request');
    return key;
  }

  stateAt(key: string): StoredState | undefined {
    if (this.#states.has(key)) return this.#states.get(key);
    const { view, tables, texts } = this.#source;
    const row = view.get(tables.documents, key);
    const state = row === undefined ? undefined : decodeState(row, texts);
    this.#states.set(key, state);
    return state;
  }

  outcome(ref: ChangeRef): RecordedOutcome | undefined {
    const key = outcomeRowKey(ref);
    if (!this.#outcomeKeys.has(key)) throw new StoreError('invalid', 'a change is not named by the request');
    const row = this.outcomeRow(key);
    if (row === undefined) return undefined;
    const place = decodeApplied(row);
    if (!place) return decodeSuperseded(row, ref);
    const { view, tables } = this.#source;
    const entry = view.get(tables.log, logRowKey(lanePrefix(place.epoch, place.lane), place.seq));
    return entry === undefined ? undefined : appliedOutcome(decodeEntry(entry, place));
  }

  outcomeRow(key: string): string | undefined {
    if (this.#outcomeRows.has(key)) return this.#outcomeRows.get(key);
    const row = this.#source.view.get(this.#source.tables.outcomes, key);
    this.#outcomeRows.set(key, row);
    return row;
  }

  #readLane(lane: Lane): LaneState {
    const { view, tables, epoch } = this.#source;
    if (lane < 0 || lane >= epoch.lanes) throw new StoreError('stale_epoch', `there is no lane ${lane}`);
    return decodeLaneState(view.get(tables.meta, laneStateKey(epoch.epoch, lane)), epoch.base);
  }
}
