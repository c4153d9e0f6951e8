import type { CollectionName } from '@tidemark/protocol';
import type { Logger } from '@tidemark/telemetry';
import type { CollectionSettings, History, Store } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { asStored } from './as-stored.ts';
import { type ConnectOptions, connect } from './connect.ts';
import { type Database, databaseOf } from './database.ts';
import { acquireExclusiveLease, type ExclusiveLease, type LeaseOptions } from './exclusive-lease.ts';
import { openHistory } from './history.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { readDocuments } from './read-documents.ts';
import { readHeads, readLog } from './read-log.ts';
import { type SendWrites, sendAtOnce, sendEach } from './send-writes.ts';
import { createTides } from './tide-rows.ts';
import { createTransact } from './transact.ts';
import { translate } from './translate-error.ts';
import { trimLog } from './trim-log.ts';
import { openUserCollections, type UserCollections } from './user-collections.ts';

export interface MongoStoreOptions extends ConnectOptions {
  /** Name of the database; without one, that of the connection string. */
  readonly database?: string | undefined;
  /** Number of lanes; another one than stored begins a new epoch. */
  readonly lanes: number;
  /**
   * A stored number of lanes stays. For those who only read history: of a fleet whose parts are told different numbers
   * for a while, each would else end the epoch of the other.
   */
  readonly keepLanes?: boolean | undefined;
  /**
   * For a server without Redis, which must be the only one. It is refused while another one holds the lease, before anything
   * of that one's is touched; the message says what to do. The lease ends with `close`.
   */
  readonly exclusive?: LeaseOptions | undefined;
  readonly collections?: ((name: CollectionName) => CollectionSettings | undefined) | undefined;
  readonly logger?: Pick<Logger, 'warn'> | undefined;
}

/** A check waits no longer, ms: whoever probes wants to know it within seconds. */
const checkTimeoutMs = 2_000;
/** MongoDB 8.0. */
const firstWithClientBulkWrite = 25;

/**
 * A store on a replica set of MongoDB 6.0 or later. Documents lie in the user's own collections; what Tidemark keeps besides
 * lies in collections that start with `tidemark_`. The database may hold documents already: without our metadata
 * they count as oldest, and those whose `_id` is no string, ObjectId or UUID are left alone.
 * Throws StoreError; `invalid` when the server or the database cannot be used, with what to do about it.
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<Store> {
  const { lanes } = options;
  if (!Number.isInteger(lanes) || lanes < 1 || lanes > 1024) throw new StoreError('invalid', 'lanes must be 1 to 1024');
  const { client, wireVersion } = await connect(options);
  let lease: ExclusiveLease | undefined;
  try {
    const database = databaseOf(client, options.database);
    await makeOwnIndexes(database);
    lease = options.exclusive && (await acquireExclusiveLease(database.meta, options.exclusive));
    const history = await openHistory(database, { lanes, keepStored: options.keepLanes ?? false });
    const { collections: settingsOf = () => undefined, logger } = options;
    const collections = await openUserCollections({ database, settingsOf, logger });
    const sendQuickly = wireVersion >= firstWithClientBulkWrite ? sendAtOnce : sendEach;
    return createMongoStore(database, history, { collections, sendQuickly, lease });
  } catch (error) {
    await lease?.release();
    await client.close().catch(() => undefined);
    throw translate(error);
  }
}

/** Makes the collections too, which a transaction could only do with more trouble. */
async function makeOwnIndexes({ log, tombstones, meta, lanes, db }: Database): Promise<void> {
  await log.createIndex({ change: 1 }, { name: 'tidemark_change', unique: true });
  await tombstones.createIndexes([
    { key: { collection: 1 }, name: 'tidemark_collection' },
    { key: { epoch: 1, lane: 1, seq: 1 }, name: 'tidemark_entry' },
  ]);
  const existing = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
  for (const { collectionName } of [meta, lanes]) {
    if (!existing.has(collectionName)) await db.createCollection(collectionName).catch(ignoreExisting);
  }
}

/** Another server that starts at the same time was faster. */
function ignoreExisting(error: unknown): void {
  if ((error as { readonly codeName?: string }).codeName !== 'NamespaceExists') throw error;
}

interface Means {
  readonly collections: UserCollections;
  readonly sendQuickly: SendWrites;
  readonly lease: ExclusiveLease | undefined;
}

function createMongoStore(database: Database, history: History, means: Means): Store {
  const { collections, sendQuickly, lease } = means;
  const inFlight = createInFlight();
  const guard = guardWith(inFlight);
  const laneCount = history.epochs.at(-1)?.lanes ?? 1;
  const transact = createTransact({ database, collections, laneCount, sendQuickly });
  const tides = createTides(database);
  return {
    history,
    transact: (request, decide) => guard(() => transact(request, decide)),
    heads: (epoch) => guard(() => readHeads(database, epoch)),
    readLog: (read) => guard(() => readLog(database, read)),
    readDocuments: (read) => guard(() => readDocuments({ database, collections }, read)),
    collections: () => guard(() => collections.list()),
    canonical: asStored,
    recordTide: (time, token) => guard(() => tides.recordTide(time, token)),
    findTide: (time) => guard(() => tides.findTide(time)),
    trim: (request) => guard(() => trimLog(database, request)),
    statistics: () => guard(() => countChanges(database, history)),
    check: () => guard(() => ping(database)),
    close: () =>
      inFlight.close(async () => {
        await lease?.release();
        await database.client.close();
      }),
  };
}

/** Calls are counted, so that `close` can wait for them, and their errors are ours. */
function guardWith(inFlight: InFlight): <T>(call: () => Promise<T>) => Promise<T> {
  return (call) =>
    inFlight.run(async () => {
      try {
        return await call();
      } catch (error) {
        throw translate(error);
      }
    });
}

async function countChanges(database: Database, { epochs }: History): Promise<{ readonly changes: number }> {
  const bases = new Map(epochs.map(({ epoch, base }) => [epoch, base]));
  const rows = await database.lanes.find().toArray();
  return { changes: rows.reduce((sum, row) => sum + row.head - (bases.get(row.epoch) ?? row.head), 0) };
}

async function ping({ db }: Database): Promise<void> {
  const late = new StoreError('unavailable', `MongoDB does not answer within ${checkTimeoutMs} ms`);
  const answered = db.command({ ping: 1 });
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), checkTimeoutMs);
  });
  try {
    await Promise.race([answered, expired]);
  } finally {
    clearTimeout(timer);
    answered.catch(() => undefined);
  }
}
