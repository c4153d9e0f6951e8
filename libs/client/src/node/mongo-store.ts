import { randomUUID } from 'node:crypto';
import os from 'node:os';
import type { AnyBulkWriteOperation, ClientSession, Collection, MongoClient } from 'mongodb';
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
import { isTaken, type OwnerRow, OwnerRowPlace } from './owner-row.ts';
import { StoreLease } from './store-lease.ts';
import { type StoreOwner, thisOwner } from './store-owner.ts';

/** A record as MongoDB holds it: as JSON text, so that nothing of it is taken for anything else. */
interface Row {
  readonly _id: string;
  readonly scope: string;
  readonly kind: Kind;
  readonly json: string;
}

type Kind = 'document' | 'entry' | 'subscription' | 'meta';
type Operation = AnyBulkWriteOperation<Row>;
/** Of the writes of this store. */
const kinds: readonly Kind[] = ['document', 'entry', 'subscription', 'meta'];

interface Connection {
  readonly client: MongoClient;
  readonly rows: Collection<Row>;
  readonly lease: StoreLease;
  /** Goes before every batch: ends it when the store is another's. */
  readonly fence: Operation;
}

/** All data of all users of a database; clients may not name collections that start with `tidemark_`. */
const collectionName = 'tidemark_client';
/** What a MongoDB that is no replica set answers to a transaction. */
const illegalOperation = 20;

/**
 * A durable store in a MongoDB that the program reaches, in one collection that several users share.
 * On a replica set each batch is a transaction. A single server knows none: there documents and writes are written before the checkpoint
 * and before anything is removed, so that a batch that was cut short only makes the server tell the same again.
 * One client of one process at a time has the store of a scope open, from its first `load` or `write` to `close`: another one gets
 * LocalStoreError `inUse`.
 */
export class MongoStore implements LocalStore {
  readonly #uri: string;
  readonly #scope: string;
  #connection: Promise<Connection> | undefined;
  #isClosed = false;
  #hasTransactions = true;

  /** `scope` names the user: stores of different scopes do not see each other. */
  constructor(uri: string, scope: string) {
    this.#uri = uri;
    this.#scope = scope;
  }

  async load(): Promise<StoredState> {
    const { rows } = await this.#connect();
    const found = await translated(() => rows.find({ scope: this.#scope }).toArray());
    const ofKind = <T>(kind: Kind) => found.filter((row) => row.kind === kind).map((row) => JSON.parse(row.json) as T);
    return {
      documents: ofKind<DocumentRecord>('document'),
      entries: ofKind<OutboxEntry>('entry'),
      subscriptions: ofKind<SubscriptionRecord>('subscription'),
      meta: ofKind<MetaRecord>('meta')[0],
    };
  }

  async write(batch: WriteBatch): Promise<void> {
    if (this.#isClosed) throw new LocalStoreError('closed', 'the store is closed');
    const connection = await this.#connect();
    await translated(() => this.#writeAll(connection, this.#operationsOf(batch)));
  }

  async clear(): Promise<void> {
    const { rows } = await this.#connect();
    await translated(() => rows.deleteMany({ scope: this.#scope, kind: { $in: kinds } }));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    if (!connection) return;
    // A server that cannot be reached does not keep a program from ending; then the silence tells.
    await connection.lease.release().catch(() => {});
    await connection.client.close();
  }

  #connect(): Promise<Connection> {
    this.#connection ??= this.#open().catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    this.#isClosed = false;
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    // Loaded only where a MongoDB is the store: it is an optional package.
    const { MongoClient } = await import('mongodb');
    // The driver would load `os` by a dynamic import, which not every host of modules can do (Jest's cannot).
    const options = { writeConcern: { w: 'majority', journal: true }, runtimeAdapters: { os } } as const;
    const client = new MongoClient(this.#uri, options);
    try {
      return await translated(() => this.#prepare(client));
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  async #prepare(client: MongoClient): Promise<Connection> {
    await client.connect();
    const rows = client.db().collection<Row>(collectionName);
    await rows.createIndex({ scope: 1 });
    const owner: StoreOwner = thisOwner(randomUUID());
    const place = new OwnerRowPlace(client.db().collection<OwnerRow>(collectionName), this.#scope);
    const lease = new StoreLease(place, owner, { name: `the local store of ${this.#scope}` });
    await lease.take();
    // A row of the same collection, of another shape.
    return { client, rows, lease, fence: place.fence(owner) as unknown as Operation };
  }

  async #writeAll({ client, rows, fence, lease }: Connection, operations: readonly Operation[]): Promise<void> {
    try {
      await this.#writeFenced({ client, rows }, [fence, ...operations]);
    } catch (error) {
      if (isTaken(error)) throw lease.lost(error);
      throw error;
    }
  }

  async #writeFenced(
    { client, rows }: Pick<Connection, 'client' | 'rows'>,
    operations: readonly Operation[],
  ): Promise<void> {
    const write = (session?: ClientSession) =>
      rows.bulkWrite(operations, { ordered: true, ...(session && { session }) });
    if (this.#hasTransactions) {
      try {
        await client.withSession((session) => session.withTransaction(() => write(session)));
        return;
      } catch (error) {
        if ((error as { code?: unknown }).code !== illegalOperation) throw error;
        this.#hasTransactions = false;
      }
    }
    await write();
  }

  /** In the order that is safe without a transaction: first what is new, then where we stand, then what is gone. */
  #operationsOf(batch: WriteBatch): readonly Operation[] {
    const put = (kind: Kind, name: string, record: unknown): Operation => {
      const _id = this.#idOf(kind, name);
      const replacement = { scope: this.#scope, kind, json: JSON.stringify(record) };
      return { replaceOne: { filter: { _id }, replacement, upsert: true } };
    };
    const remove = (kind: Kind, name: string): Operation => ({
      deleteOne: { filter: { _id: this.#idOf(kind, name) } },
    });
    const refOf = ({ collection, key }: Pick<DocumentRecord, 'collection' | 'key'>) => documentRef(collection, key);
    return [
      ...batch.putEntries.map((entry) => put('entry', entry.id, entry)),
      ...batch.putDocuments.map((record) => put('document', refOf(record), record)),
      ...batch.deleteDocuments.map((record) => remove('document', refOf(record))),
      ...batch.putSubscriptions.map((record) => put('subscription', record.id, record)),
      ...(batch.meta ? [put('meta', 'meta', batch.meta)] : []),
      ...batch.deleteSubscriptions.map((id) => remove('subscription', id)),
      ...batch.deleteEntries.map((id) => remove('entry', id)),
    ];
  }

  #idOf(kind: Kind, name: string): string {
    return JSON.stringify([this.#scope, kind, name]);
  }
}

async function translated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof LocalStoreError) throw error;
    throw new LocalStoreError('failed', `MongoDB failed: ${String(error)}`, error);
  }
}
