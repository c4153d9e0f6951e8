import type {
  ChangeId,
  CollectionName,
  Epoch,
  HistoryId,
  Lane,
  Millis,
  Operation,
  Seq,
  SocketId,
  UserId,
} from '@tidemark/protocol';
import { type Collection, type Db, type MongoClient, ReadConcern } from 'mongodb';
import type { LaneEpoch } from '../port.ts';
import type { BsonId } from './document-ids.ts';

/** Where a lane stands. `_id` is `epoch:lane`. */
export interface LaneRow {
  readonly _id: string;
  readonly epoch: Epoch;
  readonly lane: Lane;
  readonly head: Seq;
  readonly trimmed: Seq;
  /** The highest token of a lease that has committed. */
  readonly fence: number;
  /** A later epoch has begun: nothing is committed here any more. */
  readonly closed: boolean;
}

interface OutcomeFields {
  /** Author and id in one text, see `changeKey`: unique, and the changes of a batch are found by one list of values. */
  readonly change: string;
  readonly author: UserId;
  readonly id: ChangeId;
  readonly collection: CollectionName;
  readonly documentId: BsonId;
  readonly timestamp: Millis;
  readonly committedAt: Millis;
}

/** Leads from the image after to the one before. Documents of which both fit into one row can be twice as large. */
export interface UndoRow {
  /** Values before of the fields that differ or went away. */
  readonly changed: Readonly<Record<string, unknown>>;
  /** Names of the fields that were not there. */
  readonly added: readonly string[];
}

/** An entry of the change log. `_id` puts the entries of a lane in order, see log-ids.ts. */
export interface EntryRow extends OutcomeFields {
  readonly _id: string;
  readonly epoch: Epoch;
  readonly lane: Lane;
  readonly seq: Seq;
  readonly origin?: SocketId;
  readonly operation: Operation;
  /** An update: the names of the fields that took effect, their values being those in `after` … */
  readonly fields?: readonly string[];
  /** … and where they are not, the values. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly unset?: readonly string[];
  readonly after: Readonly<Record<string, unknown>> | null;
  /** The image before; where there is one after, only what it takes to go back from it. */
  readonly before?: Readonly<Record<string, unknown>> | null;
  readonly undo?: UndoRow;
  readonly emitTo?: readonly UserId[];
}

/** The outcome of a change that lost. It lies beside the entries, so that one look-up finds both. */
export interface SupersededRow extends OutcomeFields {
  readonly _id: string;
}

export type LogRow = EntryRow | SupersededRow;

export interface TombstoneRow {
  /** Collection and document in one text, see `documentText`. */
  readonly _id: string;
  readonly collection: CollectionName;
  readonly documentId: BsonId;
  readonly epoch: Epoch;
  readonly lane: Lane;
  readonly seq: Seq;
  readonly timestamp: Millis;
  readonly author: UserId;
  readonly deletedAt: Millis;
}

export interface TideRow {
  readonly _id: Millis;
  readonly token: string;
}

/** The one row of `tidemark_meta` that says which history this is. */
export interface HistoryRow {
  readonly _id: 'history';
  readonly historyId: HistoryId;
  readonly format: number;
  readonly epochs: readonly LaneEpoch[];
}

/** Who may use the database alone. Times are the database server's. */
export interface LeaseRow {
  readonly _id: 'exclusive';
  readonly holder: string;
  readonly token: string;
  readonly expiresAt: Date;
}

/** A majority holds it. When no majority can be reached the call fails after a while instead of waiting for one. */
export const durable = { w: 'majority', wtimeoutMS: 10_000 } as const;

/** Names of our own collections. */
export const names = {
  lanes: 'tidemark_lanes',
  log: 'tidemark_log',
  tombstones: 'tidemark_tombstones',
  tides: 'tidemark_tides',
  meta: 'tidemark_meta',
} as const;

/** The database and our own collections in it. */
export interface Database {
  readonly client: MongoClient;
  readonly db: Db;
  readonly lanes: Collection<LaneRow>;
  readonly log: Collection<LogRow>;
  readonly tombstones: Collection<TombstoneRow>;
  readonly tides: Collection<TideRow>;
  readonly meta: Collection<HistoryRow | LeaseRow>;
}

export function databaseOf(client: MongoClient, name: string | undefined): Database {
  // What a reader is told must never be taken back by a change of the primary.
  const db = client.db(name, {
    readConcern: new ReadConcern('majority'),
    readPreference: 'primary',
    writeConcern: durable,
  });
  return {
    client,
    db,
    lanes: db.collection(names.lanes),
    log: db.collection(names.log),
    tombstones: db.collection(names.tombstones),
    tides: db.collection(names.tides),
    meta: db.collection(names.meta),
  };
}

export function laneRowId(epoch: Epoch, lane: Lane): string {
  return `${epoch}:${lane}`;
}
