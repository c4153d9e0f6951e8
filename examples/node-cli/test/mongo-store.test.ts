import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeLocalStore, emptyBatch } from '@tidemark/client/conformance';
import { MongoStore } from '@tidemark/client/node';
import { type MongoServer, startMongo } from '@tidemark/storage/mongo-testing';
import { MongoClient } from 'mongodb';

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
  it('keeps users apart, also when one is cleared', async () => {
    const [ann, ben] = [new MongoStore(uri(), newScope()), new MongoStore(uri(), newScope())];
    await ann.write({ ...emptyBatch, meta: { clientId: 'ann', clock: 1 } });
    await ben.write({ ...emptyBatch, meta: { clientId: 'ben', clock: 2 } });
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

describe.each([
  ['a replica set', () => uri()],
  ['a single server', () => databaseOf(single)],
])('one user of %s and several who want the store', (_, uriOf) => {
  const metaOf = (clientId: string) => ({ ...emptyBatch, meta: { clientId, clock: 1 } });

  /** What an operator, or another process that takes the store over, does to the row of the owner. */
  async function setOwner(scope: string, change: object): Promise<void> {
    const client = await new MongoClient(uriOf(), { runtimeAdapters: { os } }).connect();
    const { matchedCount } = await client
      .db()
      .collection<{ _id: string }>('tidemark_client')
      .updateOne({ _id: JSON.stringify([scope, 'owner']) }, { $set: change });
    await client.close();
    expect(matchedCount).toBe(1);
  }

  it('opens for one at a time, also when they come at once', async () => {
    const scope = newScope();
    const stores = [1, 2, 3].map(() => new MongoStore(uriOf(), scope));
    const results = await Promise.allSettled(stores.map((store) => store.load()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(refused.reason).toMatchObject({
      name: 'LocalStoreError',
      code: 'inUse',
      message: expect.stringContaining(`the local store of ${scope} is in use by process ${process.pid}`),
    });
    for (const store of stores) await store.close();
    const next = new MongoStore(uriOf(), scope);
    await next.write(metaOf('next'));
    expect((await next.load()).meta).toMatchObject({ clientId: 'next' });
    await next.close();
  });

  it('refuses while another process has it, and not when that one was killed', async () => {
    const scope = newScope();
    const script = [
      '--conditions=tidemark-source',
      '--import',
      'tsx',
      join(__dirname, 'hold-store.ts'),
      uriOf(),
      scope,
    ];
    const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      expect(String((await once(child.stdout, 'data'))[0])).toBe('open\n');
      const store = new MongoStore(uriOf(), scope);
      await expect(store.load()).rejects.toMatchObject({ message: expect.stringContaining(`by process ${child.pid}`) });
      child.kill('SIGKILL');
      await once(child, 'exit');
      await store.write(metaOf('heir'));
      await store.close();
    } finally {
      child.kill('SIGKILL');
    }
  });

  it.each([
    ['has it', 'theirs'],
    ['has had it, and has given it back', ''],
  ])('writes nothing more when another one %s', async (_, token) => {
    const scope = newScope();
    const store = new MongoStore(uriOf(), scope);
    await store.write(metaOf('mine'));
    await setOwner(scope, { token });
    await expect(store.write(metaOf('late'))).rejects.toMatchObject({ name: 'LocalStoreError', code: 'inUse' });
    expect((await store.load()).meta).toMatchObject({ clientId: 'mine' });
    await store.close();
  });
});
