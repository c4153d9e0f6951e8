import { type CollectionName, parseCollectionName } from '@tidemark/protocol';
import type { Logger } from '@tidemark/telemetry';
import { type CollectionInfo, MongoServerError } from 'mongodb';
import type { CollectionSettings } from '../port.ts';
import { StoreError } from '../store-error.ts';
import type { Database } from './database.ts';
import { translate } from './translate-error.ts';

export interface UserCollectionsOptions {
  readonly database: Database;
  readonly settingsOf: (name: CollectionName) => CollectionSettings | undefined;
  readonly logger: Pick<Logger, 'warn'> | undefined;
}

/** The user's collections: which there are, and the indexes that were declared for them. */
export interface UserCollections {
  has(name: CollectionName): boolean;
  /** Makes collections with their indexes; those that exist already stay. Throws StoreError. */
  create(names: readonly CollectionName[]): Promise<void>;
  list(): Promise<readonly CollectionName[]>;
  /** What a command needs to compare by code point; undefined where the collection does so by itself. */
  collationOf(name: CollectionName): Promise<Collation | undefined>;
}

export interface Collation {
  readonly locale: 'simple';
}

const simple: Collation = { locale: 'simple' };

/** Looks at what is there. Indexes of existing collections are built behind the scenes: that may take long. */
export async function openUserCollections(options: UserCollectionsOptions): Promise<UserCollections> {
  const { database } = options;
  const known = new Map(
    (await listCollections(database)).map((info) => [info.name as CollectionName, collationFor(info)]),
  );
  for (const name of known.keys()) void ensureIndexes(options, name);
  return {
    has: (name) => known.has(name),
    create: async (names) => {
      for (const name of names) {
        const info = (await findCollection(database, name)) ?? (await createCollection(database, name));
        if (info && info.type !== 'collection')
          throw new StoreError('invalid', `${name} is a ${info.type}, which cannot be written`);
        await ensureIndexes(options, name);
        known.set(name, collationFor(info));
      }
    },
    list: async () => {
      const stored = (await listCollections(database)).map(({ name }) => name as CollectionName);
      return [...new Set([...stored, ...(await listTombstoned(database))])].sort();
    },
    collationOf: async (name) => {
      if (known.has(name)) return known.get(name);
      return collationFor(await findCollection(database, name));
    },
  };
}

function collationFor(info: CollectionInfo | undefined): Collation | undefined {
  return info?.options?.collation === undefined ? undefined : simple;
}

/** Undefined when nothing was special about what was made. */
async function createCollection(database: Database, name: CollectionName): Promise<CollectionInfo | undefined> {
  try {
    await database.db.createCollection(name);
    return undefined;
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw translate(error);
    if (error.codeName === 'NamespaceExists') return findCollection(database, name);
    if (error.codeName !== 'InvalidNamespace') throw translate(error);
    throw new StoreError('invalid', `MongoDB does not take the name of the collection: ${error.message}`, error);
  }
}

async function findCollection(database: Database, name: CollectionName): Promise<CollectionInfo | undefined> {
  const [info] = await database.db.listCollections({ name }).toArray();
  return info;
}

/** Views and time series are left out: they cannot be written in transactions. */
async function listCollections(database: Database): Promise<readonly CollectionInfo[]> {
  const infos = await database.db.listCollections({ type: 'collection' }).toArray();
  return infos.filter(({ name }) => isClientCollection(name));
}

async function listTombstoned(database: Database): Promise<readonly CollectionName[]> {
  return database.tombstones.distinct('collection');
}

function isClientCollection(name: string): boolean {
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
