import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
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

interface Schema extends DBSchema {
  documents: { key: string; value: DocumentRecord };
  entries: { key: string; value: OutboxEntry };
  subscriptions: { key: string; value: SubscriptionRecord };
  meta: { key: string; value: MetaRecord };
}

type TableName = 'documents' | 'entries' | 'subscriptions' | 'meta';
type Writing = IDBPTransaction<Schema, TableName[], 'readwrite'>;

const tables: TableName[] = ['documents', 'entries', 'subscriptions', 'meta'];
const metaKey = 'meta';
const schemaVersion = 1;

/** A durable store for browsers: an IndexedDB database of its own. */
export class IndexedDbStore implements LocalStore {
  readonly #name: string;
  #database: Promise<IDBPDatabase<Schema>> | undefined;
  #isClosed = false;

  /** The name must be different for each user; the database is made when it is missing. */
  constructor(name: string) {
    this.#name = name;
  }

  async load(): Promise<StoredState> {
    this.#isClosed = false;
    const transaction = (await this.#open()).transaction(tables, 'readonly');
    const [documents, entries, subscriptions, meta] = await Promise.all([
      transaction.objectStore('documents').getAll(),
      transaction.objectStore('entries').getAll(),
      transaction.objectStore('subscriptions').getAll(),
      transaction.objectStore('meta').get(metaKey),
      transaction.done,
    ]);
    return { documents, entries, subscriptions, meta };
  }

  async write(batch: WriteBatch): Promise<void> {
    if (this.#isClosed) throw new LocalStoreError('closed', 'the store is closed');
    const database = await this.#open();
    let transaction: Writing | undefined;
    try {
      // `strict`: written to the disk, not only handed to the system, when it completes.
      transaction = database.transaction(tables, 'readwrite', { durability: 'strict' });
      request(transaction, batch);
      await transaction.done;
    } catch (error) {
      abort(transaction);
      throw translated(error);
    }
  }

  async clear(): Promise<void> {
    const transaction = (await this.#open()).transaction(tables, 'readwrite');
    await Promise.all([...tables.map((name) => transaction.objectStore(name).clear()), transaction.done]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const database = this.#database;
    this.#database = undefined;
    (await database?.catch(() => undefined))?.close();
  }

  /** Removes the whole database; nobody may have it open. */
  static async remove(name: string): Promise<void> {
    await deleteDB(name);
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    this.#database ??= openDB<Schema>(this.#name, schemaVersion, {
      upgrade: (database) => {
        for (const name of tables) database.createObjectStore(name);
      },
      // Another tab wants a newer schema: it must not wait for us.
      blocking: (_current, _next, event) => (event.target as IDBDatabase).close(),
      terminated: () => {
        this.#database = undefined;
      },
    }).catch((error: unknown) => {
      this.#database = undefined;
      throw translated(error);
    });
    return this.#database;
  }
}

/** Starts all requests; the first that fails aborts the transaction, whose `done` tells. */
function request(transaction: Writing, batch: WriteBatch): void {
  const [documents, entries] = [transaction.objectStore('documents'), transaction.objectStore('entries')];
  const subscriptions = transaction.objectStore('subscriptions');
  const start = (made: Promise<unknown>) => made.catch(() => {});
  for (const record of batch.putDocuments) start(documents.put(record, documentRef(record.collection, record.key)));
  for (const { collection, key } of batch.deleteDocuments) start(documents.delete(documentRef(collection, key)));
  for (const entry of batch.putEntries) start(entries.put(entry, entry.id));
  for (const id of batch.deleteEntries) start(entries.delete(id));
  for (const record of batch.putSubscriptions) start(subscriptions.put(record, record.id));
  for (const id of batch.deleteSubscriptions) start(subscriptions.delete(id));
  if (batch.meta) start(transaction.objectStore('meta').put(batch.meta, metaKey));
}

function abort(transaction: Writing | undefined): void {
  if (!transaction) return;
  // It reports its end through `done` too; the error that brought us here is the one to tell.
  transaction.done.catch(() => {});
  try {
    transaction.abort();
  } catch {
    // It is over already.
  }
}

function translated(error: unknown): LocalStoreError {
  const isFull = (error as { name?: unknown } | undefined)?.name === 'QuotaExceededError';
  return new LocalStoreError(isFull ? 'full' : 'failed', `IndexedDB failed: ${String(error)}`, error);
}
