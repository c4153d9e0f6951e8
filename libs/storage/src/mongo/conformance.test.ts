import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, jest } from '@jest/globals';
import type { MongoClient } from 'mongodb';
import { describeStore } from '../conformance/index.ts';
import { createClient } from './create-client.ts';
import type { DocumentRow } from './document-rows.ts';
import { openMongoStore } from './index.ts';
import { type MongoServer, startMongo } from './testing/index.ts';

// The server may be a slow stand-in.
jest.setTimeout(120_000);

let server: MongoServer;
let client: MongoClient;

beforeAll(async () => {
  server = await startMongo();
  client = await createClient(server.uri).connect();
});

afterAll(async () => {
  await client.close();
  await server.stop();
});

describeStore('MongoDB', async () => {
  const database = `test-${randomUUID()}`;
  return {
    open: (options) => openMongoStore({ uri: server.uri, database, poolSize: 20, socketTimeoutMs: 30_000, ...options }),
    plant: async (collection, document) => {
      await client
        .db(database)
        .collection<DocumentRow>(collection)
        .insertOne({ ...document });
    },
    dispose: async () => {
      await client.db(database).dropDatabase();
    },
  };
});
