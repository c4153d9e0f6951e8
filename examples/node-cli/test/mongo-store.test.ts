import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeLocalStore } from '@tidemark/client/conformance';
import { MongoStore } from '@tidemark/client/node';
import { type MongoServer, startMongo } from '@tidemark/storage/mongo-testing';

jest.setTimeout(120_000);

let server: MongoServer;
/** Not a replica set: it knows no transactions. */
let single: MongoServer;
let scopes = 0;

beforeAll(async () => {
  [server, single] = await Promise.all([startMongo(), startMongo({ standalone: true })]);
});

afterAll(async () => {
  await Promise.all([server.stop(), single.stop()]);
});

const databaseOf = ({ uri }: MongoServer) => uri.replace('/?', '/client_stores?');
const uri = () => databaseOf(server);
const newScope = () => {
  scopes += 1;
  return `user ${scopes}`;
};

describeLocalStore('MongoStore', async () => {
  const scope = newScope();
  return { open: () => new MongoStore(uri(), scope), dispose: async () => {} };
});

describeLocalStore('MongoStore on a single server', async () => {
  const scope = newScope();
  return { open: () => new MongoStore(databaseOf(single), scope), dispose: async () => {} };
});

describe('MongoStore', () => {
  const nothing = {
    putDocuments: [],
    deleteDocuments: [],
    putEntries: [],
    deleteEntries: [],
    putSubscriptions: [],
    deleteSubscriptions: [],
  };

  it('keeps users apart, also when one is cleared', async () => {
    const [ann, ben] = [new MongoStore(uri(), newScope()), new MongoStore(uri(), newScope())];
    await ann.write({ ...nothing, meta: { clientId: 'ann', clock: 1 } });
    await ben.write({ ...nothing, meta: { clientId: 'ben', clock: 2 } });
    await ann.clear();
    expect((await ann.load()).meta).toBeUndefined();
    expect((await ben.load()).meta).toEqual({ clientId: 'ben', clock: 2 });
    await Promise.all([ann.close(), ben.close()]);
  });

  it('says when the server is not there', async () => {
    const store = new MongoStore('mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200', 'nobody');
    await expect(store.load()).rejects.toMatchObject({ name: 'LocalStoreError', code: 'failed' });
  });
});
