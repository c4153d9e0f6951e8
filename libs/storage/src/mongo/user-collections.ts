import { brandAs, type CollectionName, parseCollectionName } from '@tidemark/protocol';
import type { Logger } from '@tidemark/telemetry';
import { MongoServerError } from 'mongodb';
import type { CollectionSettings } from '../port.ts';
import { StoreError } from '../store-error.ts';
import type { Database } from './database.ts';
import { translate } from './translate-error.ts';

export interface UserCollectionsOptions {
  readonly database: Database;
  readonly settingsOf: (name: CollectionName) => CollectionSettings | undefined;
  readonly logger: Logger | undefined;
}

/** The user's collections: which there are, and the indexes that were declared for them. */
export interface UserCollections {
  has(name: CollectionName): boolean;
  /** Makes collections with their indexes; those that exist already stay. Throws StoreError. */
  create(names: readonly CollectionName[]): Promise<void>;
  list(): Promise<readonly CollectionName[]>;
}

/** Looks at what is there. Indexes of existing collections are built behind the scenes: that may take long. */
export async function openUserCollections(options: UserCollectionsOptions): Promise<UserCollections> {
  const { database } = options;
  const known = new Set(await listCollections(database));
  for (const name of known) void ensureIndexes(options, name);
  return {
    has: (name) => known.has(name),
    create: async (names) => {
      for (const name of names) {
        await createCollection(database, name);
        await ensureIndexes(options, name);
        known.add(name);
      }
    },
    list: async () => {
      const names = new Set([...(await listCollections(database)), ...(await listTombstoned(database))]);
      return [...names].sort();
    },
  };
}

async function createCollection(database: Database, name: CollectionName): Promise<void> {
  try {
    await database.db.createCollection(name);
  } catch (error) {
    if (error instanceof MongoServerError && error.codeName === 'NamespaceExists') return;
    if (error instanceof MongoServerError && error.codeName === 'InvalidNamespace') {
      throw new StoreError('invalid', `MongoDB does not take the name of the collection: ${error.message}`, error);
    }
    throw translate(error);
  }
}

/** Views and time series are left out: they cannot be written in transactions. */
async function listCollections(database: Database): Promise<readonly CollectionName[]> {
  const infos = await database.db.listCollections({ type: 'collection' }, { nameOnly: true }).toArray();
  return infos.map((info) => brandAs<CollectionName>(info.name)).filter(isClientCollection);
}

async function listTombstoned(database: Database): Promise<readonly CollectionName[]> {
  return database.tombstones.distinct('collection');
}

function isClientCollection(name: CollectionName): boolean {
  try {
    return parseCollectionName(name) === name;
  } catch {
    return false;
  }
}

/** An index that cannot be built makes reading slower, nothing else: it is logged. */
async function ensureIndexes(options: UserCollectionsOptions, name: CollectionName): Promise<void> {
  for (const path of options.settingsOf(name)?.indexes ?? []) {
    try {
      // With `_id` behind it, pages come in order without sorting.
      await options.database.db.collection(name).createIndex({ [path]: 1, _id: 1 }, { name: `tidemark_${path}` });
    } catch (error) {
      if (isSameIndex(error)) continue;
      options.logger?.warn({ err: error, collection: name, index: path }, 'an index could not be made');
    }
  }
}

/** The user has made that very index, under another name. */
function isSameIndex(error: unknown): boolean {
  return error instanceof MongoServerError && error.codeName === 'IndexOptionsConflict';
}
