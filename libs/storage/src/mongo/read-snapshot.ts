import { type CollectionName, documentKey, type Lane } from '@tidemark/protocol';
import type { ClientSession } from 'mongodb';
import type {
  ChangeRef,
  DocumentRef,
  RecordedOutcome,
  Snapshot,
  StoredState,
  Tombstone,
  TransactionRequest,
} from '../port.ts';
import { StoreError } from '../store-error.ts';
import { type Database, laneRowId, type TombstoneRow } from './database.ts';
import { fromBsonId, toBsonId } from './document-ids.ts';
import { type DocumentRow, readDocumentRow } from './document-rows.ts';
import { changeKey, outcomeProjection, readOutcomeRow } from './entry-rows.ts';
import type { LaneState } from './lane-memory.ts';

/** What a transaction has read. */
export interface TransactionSnapshot extends Snapshot {
  /** Without looking: that documents which are not there have no tombstone either. */
  readonly presumesNoTombstones: boolean;
  /** Without looking: that the document is not there. */
  presumesNew(ref: DocumentRef): boolean;
  lane(lane: Lane): LaneState;
}

/** The lanes that a request names, in any of its places. */
export function lanesOf({ lanes, fences = [] }: TransactionRequest): ReadonlySet<Lane> {
  return new Set([...lanes, ...fences.map((fence) => fence.lane)]);
}

/**
 * Reads what the request names, with one command for the lanes, one per collection, one for the outcomes, and one for
 * tombstones if a document is missing; one after another, since a transaction runs one command at a time.
 * Throws StoreError `stale_epoch` and `fenced`.
 */
export async function readSnapshot(
  database: Database,
  session: ClientSession,
  request: TransactionRequest,
): Promise<TransactionSnapshot> {
  const lanes = await readLanes(database, session, request);
  assertNotFenced(lanes, request);
  const states = await readDocumentStates(database, session, request.documents);
  await addTombstones(database, session, { states, refs: request.documents });
  const outcomes = await readOutcomes(database, session, request.changes);
  return snapshotOf({ lanes, states, outcomes });
}

export interface Presumption {
  readonly request: TransactionRequest;
  readonly lanes: ReadonlyMap<Lane, LaneState>;
  /** Documents that are taken not to be there. */
  readonly expectedNew: readonly DocumentRef[];
}

/**
 * The same for the usual case, with one command per collection at most: the lanes are taken to be as they were left, documents that
 * are not there never to have been, and the changes to be new. Holds only if writing the plan proves it. Throws StoreError `fenced`.
 */
export async function presumeSnapshot(
  database: Database,
  session: ClientSession,
  { request, lanes, expectedNew }: Presumption,
): Promise<TransactionSnapshot> {
  assertNotFenced(lanes, request);
  const unread = new Set(expectedNew.map(documentText));
  const states = await readDocumentStates(
    database,
    session,
    request.documents.filter((ref) => !unread.has(documentText(ref))),
  );
  return {
    ...snapshotOf({ lanes, states, outcomes: new Map() }),
    presumesNoTombstones: true,
    presumesNew: (ref) => unread.has(documentText(ref)),
  };
}

interface Parts {
  readonly lanes: ReadonlyMap<Lane, LaneState>;
  readonly states: States;
  readonly outcomes: ReadonlyMap<string, RecordedOutcome>;
}

function snapshotOf({ lanes, states, outcomes }: Parts): TransactionSnapshot {
  const lane = (lane: Lane) => {
    const state = lanes.get(lane);
    if (state === undefined) throw new StoreError('invalid', `the request does not name lane ${lane}`);
    return state;
  };
  return {
    presumesNoTombstones: false,
    presumesNew: () => false,
    lane,
    head: (of) => lane(of).head,
    state: (ref) => states.get(documentText(ref)),
    outcome: (ref) => outcomes.get(changeKey(ref)),
  };
}

function assertNotFenced(lanes: ReadonlyMap<Lane, LaneState>, { fences = [] }: TransactionRequest): void {
  for (const { lane, token } of fences) {
    const fence = lanes.get(lane)?.fence ?? 0;
    if (token < fence) throw StoreError.fenced(lane, fence);
  }
}

async function readLanes(
  database: Database,
  session: ClientSession,
  request: TransactionRequest,
): Promise<ReadonlyMap<Lane, LaneState>> {
  const { epoch } = request;
  const wanted = [...lanesOf(request)];
  const rows = await database.lanes
    .find({ _id: { $in: wanted.map((lane) => laneRowId(epoch, lane)) } }, { session, ...inOneAnswer(wanted) })
    .toArray();
  if (rows.length < wanted.length || rows.some((row) => row.closed)) {
    throw new StoreError('stale_epoch', `epoch ${epoch} is not the current one`);
  }
  return new Map(rows.map((row) => [row.lane, row]));
}

/** One text for a document of a collection; the names of collections hold no NUL. */
export function documentText({ collection, documentId }: Pick<DocumentRef, 'collection' | 'documentId'>): string {
  return `${collection}\u0000${documentKey(documentId)}`;
}

type States = Map<string, StoredState>;

async function readDocumentStates(
  database: Database,
  session: ClientSession,
  refs: readonly DocumentRef[],
): Promise<States> {
  const states: States = new Map();
  for (const [collection, members] of groupByCollection(refs)) {
    const ids = members.map((ref) => toBsonId(ref.documentId));
    const rows = await documentsOf(database, collection)
      .find({ _id: { $in: ids } }, { session, ...exactTypes, ...inOneAnswer(ids) })
      .toArray();
    for (const row of rows) {
      const state = readDocumentRow(row);
      if (state) states.set(documentText({ collection, documentId: state.document._id }), state);
    }
  }
  return states;
}

/** The driver would ask for a hundred rows at first. One more, so that the server knows that it was all. */
function inOneAnswer(wanted: readonly unknown[]): { readonly batchSize: number } {
  return { batchSize: wanted.length + 1 };
}

/** Regular expressions are read with the text that they were stored with. */
export const exactTypes = { bsonRegExp: true } as const;

export function documentsOf(database: Database, collection: CollectionName) {
  return database.db.collection<DocumentRow>(collection);
}

async function addTombstones(
  database: Database,
  session: ClientSession,
  { states, refs }: { readonly states: States; readonly refs: readonly DocumentRef[] },
): Promise<void> {
  const missing = refs.filter((ref) => !states.has(documentText(ref)));
  if (missing.length === 0) return;
  const rows = await database.tombstones
    .find({ _id: { $in: missing.map(documentText) } }, { session, ...inOneAnswer(missing) })
    .toArray();
  for (const row of rows) {
    const id = fromBsonId(row.documentId);
    if (id !== undefined) states.set(documentText({ collection: row.collection, documentId: id }), readTombstone(row));
  }
}

function readTombstone(row: TombstoneRow): Tombstone {
  return { kind: 'tombstone', timestamp: row.timestamp, author: row.author, seq: row.seq, deletedAt: row.deletedAt };
}

async function readOutcomes(
  database: Database,
  session: ClientSession,
  refs: readonly ChangeRef[],
): Promise<Map<string, RecordedOutcome>> {
  if (refs.length === 0) return new Map();
  const rows = await database.log
    .find({ change: { $in: refs.map(changeKey) } }, { session, projection: outcomeProjection, ...inOneAnswer(refs) })
    .toArray();
  const outcomes = rows.map(readOutcomeRow).filter((outcome) => outcome !== undefined);
  return new Map(outcomes.map((outcome) => [changeKey(outcome), outcome]));
}

export function groupByCollection<T extends { readonly collection: CollectionName }>(
  items: readonly T[],
): Map<CollectionName, T[]> {
  const groups = new Map<CollectionName, T[]>();
  for (const item of items) {
    const group = groups.get(item.collection);
    if (group) group.push(item);
    else groups.set(item.collection, [item]);
  }
  return groups;
}
