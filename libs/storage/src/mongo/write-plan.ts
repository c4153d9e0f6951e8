import { type CollectionName, type Entry, type Lane, laneOf, type Seq } from '@tidemark/protocol';
import type { AnyBulkWriteOperation, ClientSession, Collection } from 'mongodb';
import type { CommitPlan, DocumentRef, StoredDocument, StoredState, Tombstone, TransactionRequest } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { type Database, type LaneRow, type LogRow, laneRowId, type TombstoneRow } from './database.ts';
import { toBsonId } from './document-ids.ts';
import { type DocumentRow, documentChange, documentRow } from './document-rows.ts';
import { entryRow, supersededRow } from './entry-rows.ts';
import type { LaneState } from './lane-memory.ts';
import { documentsOf, groupByCollection, lanesOf, type TransactionSnapshot, tombstoneId } from './read-snapshot.ts';
import { LostRace, translateOwnWrite, translateUserWrite } from './translate-error.ts';
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
}

export function isEmptyPlan(plan: CommitPlan): boolean {
  return plan.entries.length === 0 && plan.states.length === 0 && plan.superseded.length === 0;
}

/** Writes the plan within the session's transaction. Returns the lanes as it leaves them. */
export async function writePlan(
  database: Database,
  session: ClientSession,
  work: PlanToWrite,
): Promise<readonly LaneState[]> {
  const { plan, snapshot } = work;
  const heads = newHeads(work);
  const writes = plan.states.map(({ ref, state }) => ({
    ref,
    collection: ref.collection,
    before: snapshot.state(ref),
    after: state,
  }));
  for (const [collection, group] of groupByCollection(writes)) {
    const collation = await work.collections.collationOf(collection);
    await writeDocuments(documentsOf(database, collection), session, { group, collation });
  }
  const operations = writes.map((write) => tombstoneWrite(write, work)).filter((operation) => operation !== undefined);
  if (operations.length > 0)
    await ownWrite(() => database.tombstones.bulkWrite(operations, { session, ordered: false }));
  const rows: LogRow[] = [...plan.entries.map(entryRow), ...plan.superseded.map(supersededRow)];
  if (rows.length > 0) await ownWrite(() => database.log.insertMany(rows, { session, ordered: false }));
  return advanceLanes(database.lanes, session, { work, heads });
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

interface Group {
  readonly group: readonly Write[];
  readonly collation: Collation | undefined;
}

async function writeDocuments(
  collection: Collection<DocumentRow>,
  session: ClientSession,
  { group, collation }: Group,
): Promise<void> {
  try {
    const operations = group
      .map((write) => documentWrite(write, collation))
      .filter((operation) => operation !== undefined);
    if (operations.length > 0) await collection.bulkWrite(operations, { session, ordered: false });
  } catch (error) {
    throw translateUserWrite(error, collection.collectionName);
  }
}

function documentWrite(
  { ref, before, after }: Write,
  collation: Collation | undefined,
): AnyBulkWriteOperation<DocumentRow> | undefined {
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

function tombstoneWrite(
  { ref, before, after }: Write,
  work: PlanToWrite,
): AnyBulkWriteOperation<TombstoneRow> | undefined {
  const filter = { _id: tombstoneId(ref) };
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

interface Advance {
  readonly work: PlanToWrite;
  readonly heads: ReadonlyMap<Lane, Seq>;
}

/**
 * Compares and advances. Lanes whose head does not move are compared too: what was decided holds only while nobody else has
 * them. Two transactions that move one lane conflict. Returns the lanes as they are then.
 */
async function advanceLanes(
  lanes: Collection<LaneRow>,
  session: ClientSession,
  { work, heads }: Advance,
): Promise<readonly LaneState[]> {
  const { request, snapshot } = work;
  const operations: AnyBulkWriteOperation<LaneRow>[] = [];
  const states: LaneState[] = [];
  for (const lane of lanesOf(request)) {
    const { head, fence } = snapshot.lane(lane);
    const token = request.fences?.find((own) => own.lane === lane)?.token ?? fence;
    const state = { lane, head: heads.get(lane) ?? head, fence: token };
    states.push(state);
    operations.push({
      updateOne: {
        filter: { _id: laneRowId(request.epoch, lane), head, fence, closed: false },
        update: { $set: { head: state.head, fence: state.fence } },
      },
    });
  }
  const { matchedCount } = await ownWrite(() => lanes.bulkWrite(operations, { session, ordered: false }));
  if (matchedCount !== operations.length)
    throw new LostRace('a lane has been advanced by another writer', { collision: false });
  return states;
}

async function ownWrite<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw translateOwnWrite(error);
  }
}
