import { type CollectionName, type Entry, type Lane, laneOf, type Seq } from '@tidemark/protocol';
import type { CommitPlan, DocumentRef, StoredDocument, StoredState, Tombstone, TransactionRequest } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { type LogRow, laneRowId, names, type TombstoneRow } from './database.ts';
import { toBsonId } from './document-ids.ts';
import { type DocumentRow, documentChange, documentRow } from './document-rows.ts';
import { entryRow, supersededRow } from './entry-rows.ts';
import type { LaneState } from './lane-memory.ts';
import { documentText, groupByCollection, lanesOf, type TransactionSnapshot } from './read-snapshot.ts';
import type { Collation, UserCollections } from './user-collections.ts';

export interface PlanToWrite {
  readonly request: TransactionRequest;
  readonly snapshot: TransactionSnapshot;
  readonly plan: CommitPlan;
  readonly collections: Pick<UserCollections, 'collationOf'>;
  /** Lanes of the current epoch. */
  readonly laneCount: number;
}

/** A state as planned, beside what is stored. */
interface Write {
  readonly ref: DocumentRef;
  readonly collection: CollectionName;
  readonly before: StoredState | undefined;
  readonly after: StoredState;
  /** Writing must fail if there is such a document. */
  readonly isPresumedNew: boolean;
}

export function isEmptyPlan(plan: CommitPlan): boolean {
  return plan.entries.length === 0 && plan.states.length === 0 && plan.superseded.length === 0;
}

/** What goes into one collection. */
export interface CollectionWrites {
  readonly name: string;
  /** Otherwise the user's: a change may be to blame for what goes wrong. */
  readonly isOurs: boolean;
  readonly operations: readonly Operation[];
  /** How many rows each operation must meet; any other number means that what was decided does not hold. */
  readonly affects?: 0 | 1;
}

interface Target {
  readonly filter: object;
  readonly collation?: Collation;
}

/** One write, in the words that all ways of sending share. */
export type Operation =
  | { readonly insertOne: { readonly document: object } }
  | { readonly updateOne: Target & { readonly update: object } }
  | { readonly replaceOne: Target & { readonly replacement: object; readonly upsert: true } }
  | { readonly deleteOne: Target };

/** The writes that make up a commit, and where it leaves the lanes. */
export interface PlannedWrites {
  readonly collections: readonly CollectionWrites[];
  readonly lanes: readonly LaneState[];
}

/** Works out what to write. Throws StoreError `invalid` when the plan does not continue its lanes. */
export async function planWrites(work: PlanToWrite): Promise<PlannedWrites> {
  const { plan, snapshot } = work;
  const heads = newHeads(work);
  const writes = plan.states.map(({ ref, state }) => ({
    ref,
    collection: ref.collection,
    before: snapshot.state(ref),
    after: state,
    isPresumedNew: snapshot.presumesNew(ref),
  }));
  const collections: CollectionWrites[] = [];
  for (const [name, group] of groupByCollection(writes)) {
    const collation = await work.collections.collationOf(name);
    const operations = group.map((write) => documentWrite(write, collation));
    collections.push({ name, isOurs: false, operations: present(operations) });
  }
  const rows: LogRow[] = [...plan.entries.map(entryRow), ...plan.superseded.map(supersededRow)];
  const lanes = newLanes(work, heads);
  collections.push(
    { ...ours(names.tombstones, presumedTombstones(work)), affects: 0 },
    ours(names.tombstones, present(writes.map((write) => tombstoneWrite(write, work)))),
    ours(
      names.log,
      rows.map((document) => ({ insertOne: { document } })),
    ),
    { ...ours(names.lanes, laneWrites(work, lanes)), affects: 1 },
  );
  return { collections: collections.filter(({ operations }) => operations.length > 0), lanes };
}

function ours(name: string, operations: readonly Operation[]): CollectionWrites {
  return { name, isOurs: true, operations };
}

function present<T>(items: readonly (T | undefined)[]): T[] {
  return items.filter((item) => item !== undefined);
}

/** The heads after the plan. Throws when its entries do not continue the lanes without a gap: a mistake of the caller. */
function newHeads({ request, snapshot, plan }: PlanToWrite): Map<Lane, Seq> {
  const heads = new Map<Lane, Seq>();
  for (const entry of plan.entries) {
    const head = heads.get(entry.lane) ?? snapshot.head(entry.lane);
    if (entry.seq !== head + 1 || entry.epoch !== request.epoch) {
      throw new StoreError('invalid', `entry ${entry.epoch}:${entry.lane}:${entry.seq} does not follow ${head}`);
    }
    heads.set(entry.lane, entry.seq);
  }
  return heads;
}

function documentWrite(write: Write, collation: Collation | undefined): Operation | undefined {
  const { ref, before, after, isPresumedNew } = write;
  if (isPresumedNew && after.kind === 'document') return { insertOne: { document: documentRow(after) } };
  const target = { filter: { _id: toBsonId(ref.documentId) }, ...(collation && { collation }) };
  if (after.kind === 'tombstone') return before?.kind === 'document' ? { deleteOne: target } : undefined;
  const update = before?.kind === 'document' ? documentChange(before, after) : undefined;
  if (update === undefined) return { replaceOne: { ...target, replacement: replacementOf(after), upsert: true } };
  return update.$set || update.$unset ? { updateOne: { ...target, update } } : undefined;
}

function replacementOf(state: StoredDocument): Omit<DocumentRow, '_id'> {
  const { _id, ...fields } = documentRow(state);
  return fields;
}

/** Nothing is deleted if what was presumed is so. */
function presumedTombstones({ request, snapshot }: PlanToWrite): readonly Operation[] {
  if (!snapshot.presumesNoTombstones) return [];
  const missing = request.documents.filter((ref) => snapshot.state(ref) === undefined);
  return missing.map((ref) => ({ deleteOne: { filter: { _id: documentText(ref) } } }));
}

function tombstoneWrite({ ref, before, after }: Write, work: PlanToWrite): Operation | undefined {
  const filter = { _id: documentText(ref) };
  if (after.kind === 'tombstone') {
    return { replaceOne: { filter, replacement: tombstoneFields(ref, after, work), upsert: true } };
  }
  return before?.kind === 'tombstone' ? { deleteOne: { filter } } : undefined;
}

function tombstoneFields(
  ref: DocumentRef,
  tombstone: Tombstone,
  { request, plan, laneCount }: PlanToWrite,
): Omit<TombstoneRow, '_id'> {
  const { timestamp, author, seq, deletedAt } = tombstone;
  const lane = laneOfDelete(plan.entries, ref, seq) ?? laneOf(ref.collection, ref.key, laneCount);
  return {
    collection: ref.collection,
    documentId: toBsonId(ref.documentId),
    epoch: request.epoch,
    lane,
    seq,
    timestamp,
    author,
    deletedAt,
  };
}

function laneOfDelete(entries: readonly Entry[], ref: DocumentRef, seq: Seq): Lane | undefined {
  return entries.find((entry) => entry.seq === seq && entry.key === ref.key && entry.collection === ref.collection)
    ?.lane;
}

function newLanes({ request, snapshot }: PlanToWrite, heads: ReadonlyMap<Lane, Seq>): readonly LaneState[] {
  return [...lanesOf(request)].map((lane) => {
    const { head, fence } = snapshot.lane(lane);
    const token = request.fences?.find((own) => own.lane === lane)?.token;
    return { lane, head: heads.get(lane) ?? head, fence: token ?? fence };
  });
}

/**
 * Compares and advances. Lanes whose head does not move are compared too: what was decided holds only while nobody else has
 * them. Two transactions that move one lane conflict.
 */
function laneWrites({ request, snapshot }: PlanToWrite, lanes: readonly LaneState[]): readonly Operation[] {
  return lanes.map((after) => {
    const { head, fence } = snapshot.lane(after.lane);
    return {
      updateOne: {
        filter: { _id: laneRowId(request.epoch, after.lane), head, fence, closed: false },
        update: { $set: { head: after.head, fence: after.fence } },
      },
    };
  });
}
