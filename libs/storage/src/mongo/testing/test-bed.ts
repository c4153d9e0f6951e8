import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, jest } from '@jest/globals';
import type { Db, MongoClient } from 'mongodb';
import type { Store } from '../../port.ts';
import { createClient } from '../create-client.ts';
import { type MongoStoreOptions, openMongoStore } from '../open-mongo-store.ts';
import { type MongoServer, type StartOptions, startMongo } from './start-mongo.ts';

export interface TestBed {
  readonly server: MongoServer;
  /** A database of its own for each test, as another program sees it. */
  readonly db: Db;
  /** A store on that database, closed after the test. */
  open(options?: Partial<MongoStoreOptions>): Promise<Store>;
}

/** One server for the tests of a file. */
export function useTestBed(options?: StartOptions): () => TestBed {
  // The server may be a slow stand-in, which has to be installed first.
  jest.setTimeout(120_000);
  let server: MongoServer;
  let client: MongoClient;
  let bed: TestBed;
  const stores: Store[] = [];
  beforeAll(async () => {
    server = await startMongo(options);
    client = await createClient(server.uri).connect();
  });
  beforeEach(() => {
    const database = `test-${randomUUID()}`;
    const open: TestBed['open'] = async (own) => {
      const store = await openMongoStore({
        uri: server.uri,
        database,
        lanes: 1,
        poolSize: 10,
        socketTimeoutMs: 30_000,
        ...own,
      });
      stores.push(store);
      return store;
    };
    bed = { server, db: client.db(database), open };
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await bed.db.dropDatabase();
  });
  afterAll(async () => {
    await client.close();
    await server.stop();
  });
  return () => bed;
}
