import { mkdirSync } from 'node:fs';
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

type Table = Database<string, Buffer>;

interface Tables {
  readonly root: RootDatabase<string, Buffer>;
  readonly documents: Table;
  readonly entries: Table;
  readonly subscriptions: Table;
  readonly meta: Table;
}

/** Text to bytes that LMDB compares; every text that may name a record is well-formed Unicode, so no two give the same bytes. */
const keyOf = (text: string) => Buffer.from(text, 'utf8');
const options = { encoding: 'string', keyEncoding: 'binary' } as const;
const metaKey = 'meta';

/** A durable store for Node, in a directory of its own: LMDB, which flushes every batch before it counts as written. */
export class LmdbStore implements LocalStore {
  readonly #directory: string;
  #tables: Tables | undefined;
  #isClosed = false;

  /** The directory is made when it is missing. One process at a time may use it. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async load(): Promise<StoredState> {
    const { documents, entries, subscriptions, meta } = this.#open();
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
    const tables = this.#open();
    try {
      // Made before the batch: what throws inside of it would leave LMDB with half of it.
      const rows = rowsOf(tables, batch);
      await tables.root.batch(() => {
        for (const { table, key, value } of rows) {
          if (value === undefined) table.remove(key);
          else table.put(key, value);
        }
      });
    } catch (error) {
      const isFull = error instanceof Error && /MDB_MAP_FULL|ENOSPC|No space/i.test(error.message);
      throw new LocalStoreError(isFull ? 'full' : 'failed', `LMDB could not write: ${String(error)}`, error);
    }
  }

  async clear(): Promise<void> {
    const { documents, entries, subscriptions, meta } = this.#open();
    for (const table of [documents, entries, subscriptions, meta]) await table.clearAsync();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const tables = this.#tables;
    this.#tables = undefined;
    await tables?.root.close();
  }

  #open(): Tables {
    if (this.#tables) return this.#tables;
    try {
      mkdirSync(this.#directory, { recursive: true });
      const root = open<string, Buffer>({
        path: this.#directory,
        noSubdir: false,
        maxDbs: 8,
        overlappingSync: false,
        ...options,
      });
      const table = (name: string) => root.openDB<string, Buffer>(name, options);
      const [documents, entries] = [table('documents'), table('entries')];
      this.#tables = { root, documents, entries, subscriptions: table('subscriptions'), meta: table('meta') };
    } catch (error) {
      throw new LocalStoreError('failed', `${this.#directory} cannot be opened: ${String(error)}`, error);
    }
    this.#isClosed = false;
    return this.#tables;
  }
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

function rowsOf({ documents, entries, subscriptions, meta }: Tables, batch: WriteBatch): readonly Row[] {
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
