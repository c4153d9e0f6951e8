import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { brandAs, type CollectionName, type Seq } from '@tidemark/protocol';
import { bindQuery, parseQuery } from '@tidemark/rql';
import { type MongoClient, ObjectId } from 'mongodb';
import { createClient } from './create-client.ts';
import { type MongoStore, openMongoStore } from './index.ts';
import { type MongoServer, startMongo } from './testing/index.ts';
import { commit, epoch1, lane0, refOf } from './testing/sample-plans.ts';

let server: MongoServer;
let client: MongoClient;
let database: string;

beforeAll(async () => {
  server = await startMongo();
  client = await createClient(server.uri).connect();
}, 120_000);

afterAll(async () => {
  await client.close();
  await server.stop();
});

beforeEach(() => {
  database = `test-${randomUUID()}`;
});

const open = (options: { lanes?: number } = {}): Promise<MongoStore> =>
  openMongoStore({ uri: server.uri, database, lanes: 1, poolSize: 10, socketTimeoutMs: 30_000, ...options });

const notes = brandAs<CollectionName>('notes');
const seq = (value: number) => brandAs<Seq>(value);

describe('the store on MongoDB', () => {
  it('commits and reads back', async () => {
    const store = await open();
    await commit(store, [{ id: 'a', fields: { n: 1 }, change: '1' }]);
    await commit(store, [
      { id: 'a', fields: { n: 2 }, change: '2' },
      { id: { $oid: '0123456789abcdef01234567' }, fields: { at: { $date: '2026-01-01T00:00:00.000Z' } }, change: '3' },
    ]);
    const log = await store.readLog({ epoch: epoch1, lane: lane0, after: seq(0), limit: 10 });
    expect(log.map((entry) => entry.seq)).toEqual([1, 2, 3]);
    expect(log[1]).toMatchObject({ data: { n: 2 }, before: { n: 1 }, after: { n: 2, _id: 'a' } });
    const page = await store.readDocuments({ collection: notes, query: bindQuery(parseQuery('n == 2')), limit: 10 });
    expect(page).toMatchObject({ documents: [{ _id: 'a', n: 2, sync_version: 2 }], next: undefined });
    expect(await store.collections()).toEqual(['notes']);
    expect(await store.statistics()).toEqual({ changes: 3 });
    await store.close();
  });

  it('starts on a database that holds documents already', async () => {
    const id = new ObjectId();
    await client.db(database).collection('notes').insertOne({ _id: id, n: 1 });
    const store = await open();
    let seen: unknown;
    const oid = { $oid: id.toHexString() };
    await commit(store, [{ id: oid, fields: { n: 2 }, change: '1' }], {
      look: (snapshot) => {
        seen = snapshot.state(refOf({ id: oid }));
      },
    });
    expect(seen).toEqual({ kind: 'document', document: { _id: oid, n: 1 } });
    await store.close();
  });
});
