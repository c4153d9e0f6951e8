import { randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { documentRef } from '../local/document-ref.ts';
import { type LocalStore, LocalStoreError } from '../local/port.ts';
import type {
  DocumentRecord,
  MetaRecord,
  OutboxEntry,
  StoredState,
  SubscriptionRecord,
  WriteBatch,
} from '../local/records.ts';
import { OwnerFile } from './owner-file.ts';
import { StoreLease } from './store-lease.ts';
import { thisOwner } from './store-owner.ts';

type Table = Database<string, Buffer>;
type Root = RootDatabase<string, Buffer>;

interface Tables {
  readonly root: Root;
  readonly documents: Table;
  readonly entries: Table;
  readonly subscriptions: Table;
  readonly meta: Table;
}

/** Text to bytes that LMDB compares; every text that may name a record is well-formed Unicode, so no two give the same bytes. */
const keyOf = (text: string) => Buffer.from(text, 'utf8');
const options = { encoding: 'string', keyEncoding: 'binary' } as const;
const metaKey = 'meta';

interface Opened extends Tables {
  readonly lease: StoreLease;
  /** Throws LocalStoreError `inUse` when another process has taken the directory. */
  readonly assertOurs: () => void;
}

/**
 * A durable store for Node, in a directory of its own: LMDB, which flushes every batch before it counts as written.
 * One client of one process at a time has it open, from its first `load` or `write` to `close`: another one gets LocalStoreError `inUse`.
 */
export class LmdbStore implements LocalStore {
  readonly #directory: string;
  #opened: Promise<Opened> | undefined;
  #isClosed = false;

  /** The directory is made when it is missing. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async load(): Promise<StoredState> {
    const { documents, entries, subscriptions, meta } = await this.#open();
    const stored = meta.get(keyOf(metaKey));
    return {
      documents: all<DocumentRecord>(documents),
      entries: all<OutboxEntry>(entries),
      subscriptions: all<SubscriptionRecord>(subscriptions),
      meta: stored === undefined ? undefined : (JSON.parse(stored) as MetaRecord),
    };
  }

  async write(batch: WriteBatch): Promise<void> {
    if (this.#isClosed) throw new LocalStoreError('closed', 'the store is closed');
    const { root, assertOurs, ...tables } = await this.#open();
    try {
      // Made before the batch: what throws inside of it would leave LMDB with half of it.
      const rows = rowsOf(tables, batch);
      assertOurs();
      const committed = root.batch(() => {
        for (const { table, key, value } of rows) {
          if (value === undefined) table.remove(key);
          else table.put(key, value);
        }
      });
      observeTurn(root);
      await committed;
    } catch (error) {
      throw await translated(error);
    }
  }

  async clear(): Promise<void> {
    const { documents, entries, subscriptions, meta } = await this.#open();
    for (const table of [documents, entries, subscriptions, meta]) await table.clearAsync();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opening = this.#opened;
    this.#opened = undefined;
    const opened = await opening?.catch(() => undefined);
    if (!opened) return;
    await opened.root.close();
    await opened.lease.release();
  }

  #open(): Promise<Opened> {
    this.#isClosed = false;
    this.#opened ??= this.#openNow().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #openNow(): Promise<Opened> {
    const directory = prepared(this.#directory);
    const owner = thisOwner(randomUUID());
    let root: Root | undefined;
    // Opened only when the directory seems to be free: a second handle of one process on LMDB's files would disturb the first.
    const openRoot = () => {
      root ??= openFiles(directory);
      return root;
    };
    const file = new OwnerFile(directory, (run) => openRoot().transactionSync(run));
    const lease = new StoreLease(file, owner, { name: `the local store ${directory}` });
    try {
      await lease.take();
    } catch (error) {
      await root?.close();
      throw error;
    }
    const assertOurs = () => {
      if (!file.isOf(owner)) throw lease.lost();
    };
    return { ...tablesOf(openRoot()), lease, assertOurs };
  }
}

/** The real path of the directory, so that two names of it are one store. */
function prepared(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true });
    return realpathSync(directory);
  } catch (error) {
    throw new LocalStoreError('failed', `${directory} cannot be opened: ${String(error)}`, error);
  }
}

function openFiles(path: string): Root {
  try {
    return open<string, Buffer>({ path, noSubdir: false, maxDbs: 8, overlappingSync: false, ...options });
  } catch (error) {
    throw new LocalStoreError('failed', `${path} cannot be opened: ${String(error)}`, error);
  }
}

function tablesOf(root: Root): Tables {
  const table = (name: string) => root.openDB<string, Buffer>(name, options);
  const [documents, entries] = [table('documents'), table('entries')];
  return { root, documents, entries, subscriptions: table('subscriptions'), meta: table('meta') };
}

/**
 * LMDB's binding wraps what is written in one turn of the event loop into a batch of its own, whose promise nobody gets; when the
 * commit fails it is rejected too, and unseen it would end the process. It exists after the turn's immediates.
 */
function observeTurn(root: Root): void {
  const ignore = () => {};
  setImmediate(() => void root.committed.then(ignore, ignore));
}

/** What LMDB said: the error of a failed commit comes as a promise that rejects. */
async function translated(error: unknown): Promise<LocalStoreError> {
  if (error instanceof LocalStoreError) return error;
  const reason = (error as { commitError?: Promise<never> }).commitError;
  const cause = reason ? await reason.catch((said: unknown) => said) : error;
  const isFull = /MDB_MAP_FULL|ENOSPC|No space|too large|quota/i.test(String(cause));
  return new LocalStoreError(isFull ? 'full' : 'failed', `LMDB could not write: ${String(cause)}`, cause);
}

function all<T>(table: Table): T[] {
  const records: T[] = [];
  for (const { value } of table.getRange()) records.push(JSON.parse(value) as T);
  return records;
}

interface Row {
  readonly table: Table;
  readonly key: Buffer;
  /** Undefined: to be removed. */
  readonly value: string | undefined;
}

function rowsOf({ documents, entries, subscriptions, meta }: Omit<Tables, 'root'>, batch: WriteBatch): readonly Row[] {
  const refOf = ({ collection, key }: Pick<DocumentRecord, 'collection' | 'key'>) => documentRef(collection, key);
  const put = (table: Table, name: string, record: unknown): Row => ({
    table,
    key: keyOf(name),
    value: JSON.stringify(record),
  });
  const remove = (table: Table, name: string): Row => ({ table, key: keyOf(name), value: undefined });
  return [
    ...batch.putDocuments.map((record) => put(documents, refOf(record), record)),
    ...batch.deleteDocuments.map((record) => remove(documents, refOf(record))),
    ...batch.putEntries.map((entry) => put(entries, entry.id, entry)),
    ...batch.deleteEntries.map((id) => remove(entries, id)),
    ...batch.putSubscriptions.map((record) => put(subscriptions, record.id, record)),
    ...batch.deleteSubscriptions.map((id) => remove(subscriptions, id)),
    ...(batch.meta ? [put(meta, metaKey, batch.meta)] : []),
  ];
}
