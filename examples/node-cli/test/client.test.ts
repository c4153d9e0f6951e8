import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Client, createClient } from '@tidemark/client';
import { LmdbStore } from '@tidemark/client/node';
import { startServer, type TestServer, until } from './server.ts';

jest.setTimeout(30_000);

const rules = `
collections:
  "*":
    read: TRUEPREDICATE
    insert: TRUEPREDICATE
    update: TRUEPREDICATE
    delete: TRUEPREDICATE
  notes:
    read: owner == $user.sub
    insert: owner == $user.sub
    update: owner == $user.sub
    delete: owner == $user.sub
`;

let server: TestServer;
let clients: Client[] = [];

beforeAll(async () => {
  server = await startServer({ rules });
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
});

afterAll(async () => {
  await server.stop();
});

function start(userId: string, directory?: string): Client {
  const store = directory === undefined ? {} : { store: new LmdbStore(directory) };
  const client = createClient({ url: server.url, auth: { userId }, backoff: { baseMs: 20, maxMs: 100 }, ...store });
  clients.push(client);
  return client;
}

const synced = (client: Client) => client.waitForSync({ timeoutMs: 15_000 });
const all = async (client: Client, collection: string) =>
  [...(await client.collection(collection).query().sort('_id').find())].map(({ _id, n }) => [_id, n]);

describe('the client and the real server', () => {
  it('converges over two devices, offline edits and a restart of everything', async () => {
    const collection = `things-${randomUUID()}`;
    const directory = join(server.directory, randomUUID());
    const ann = start('ann', directory);
    const ben = start('ben');
    for (const client of [ann, ben]) await client.subscribe(collection, 'n < 100');
    await Promise.all([1, 2, 3].map((n) => ann.collection(collection).insert({ _id: `d${n}`, n })));
    await synced(ann);
    await synced(ben);
    ann.pause();
    await ann.collection(collection).update('d1', { n: 10 });
    await ann.collection(collection).delete('d2');
    await ben.collection(collection).update('d3', { n: 300 });
    await ben.collection(collection).insert({ _id: 'd4', n: 4 });
    await synced(ben);
    await ann.close();
    await server.restart();
    const again = start('ann', directory);
    expect(await all(again, collection)).toEqual([
      ['d1', 10],
      ['d3', 3],
    ]);
    await synced(again);
    await synced(ben);
    for (const client of [again, ben])
      expect(await all(client, collection)).toEqual([
        ['d1', 10],
        ['d4', 4],
      ]);
  });

  it('takes back alone what the rules forbid', async () => {
    const ann = start('ann');
    await ann.subscribe('notes');
    const taken: unknown[] = [];
    ann.on('compensated', (write) => taken.push(write));
    const notes = ann.collection('notes');
    const id = randomUUID();
    const writes = await Promise.all([
      notes.insert({ _id: `${id}-mine`, owner: 'ann' }),
      notes.insert({ _id: `${id}-theirs`, owner: 'ben' }),
      notes.insert({ _id: `${id}-also`, owner: 'ann' }),
    ]);
    const settled = await Promise.all(writes.map((write) => write.settled()));
    expect(settled.map(({ outcome }) => outcome)).toEqual(['applied', 'rejected', 'applied']);
    expect(taken).toMatchObject([{ documentId: `${id}-theirs`, code: 'forbidden', current: null }]);
    await synced(ann);
    expect((await all(ann, 'notes')).map(([name]) => name).sort()).toEqual([`${id}-also`, `${id}-mine`]);
  });

  it('tells both of a conflict what won, and never shows the loser again', async () => {
    const collection = `things-${randomUUID()}`;
    const [ann, ben] = [start('ann'), start('ben')];
    for (const client of [ann, ben]) await client.subscribe(collection);
    await ann.collection(collection).insert({ _id: 'a', n: 0 });
    await Promise.all([ann, ben].map(synced));
    await synced(ben);
    ann.pause();
    await ann.collection(collection).update('a', { n: 1 });
    await until('the clock moves on', () => Date.now() > (ann.outbox()[0]?.timestamp ?? 0));
    await ben.collection(collection).update('a', { n: 2 });
    await synced(ben);
    const seen: unknown[] = [];
    ann
      .collection(collection)
      .query()
      .observe(({ documents }) => seen.push(documents[0]?.n));
    const taken: unknown[] = [];
    ann.on('compensated', (write) => taken.push(write));
    ann.resume();
    await synced(ann);
    expect(taken).toMatchObject([{ outcome: 'superseded', code: 'conflict', previous: { n: 1 }, current: { n: 2 } }]);
    expect(await all(ann, collection)).toEqual([['a', 2]]);
    expect(seen[0]).toBe(1);
    expect(seen.lastIndexOf(1)).toBeLessThan(seen.indexOf(2));
  });

  it('evicts what no subscription holds any more, and takes it again', async () => {
    const collection = `things-${randomUUID()}`;
    const ann = start('ann');
    const whole = await ann.subscribe(collection);
    await Promise.all([1, 2, 3].map((n) => ann.collection(collection).insert({ _id: `d${n}`, n })));
    await ann.subscribe(collection, 'n == 1');
    await synced(ann);
    await whole.unsubscribe();
    await until('the rest is gone', async () => (await all(ann, collection)).length === 1);
    await ann.subscribe(collection, 'n >= 2');
    await synced(ann);
    expect(await all(ann, collection)).toHaveLength(3);
  });

  it('carries a burst of edits of one document, in order', async () => {
    const collection = `things-${randomUUID()}`;
    const [ann, ben] = [start('ann'), start('ben')];
    for (const client of [ann, ben]) await client.subscribe(collection);
    const seen: number[] = [];
    ben
      .collection(collection)
      .query()
      .observe(({ documents }) => {
        if (documents[0]) seen.push(documents[0].n as number);
      });
    await Promise.all(Array.from({ length: 500 }, (_, n) => ann.collection(collection).update('a', { n })));
    await synced(ann);
    await synced(ben);
    expect(await all(ben, collection)).toEqual([['a', 499]]);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('loads 5,000 documents while they are being written, and misses none', async () => {
    const collection = `many-${randomUUID()}`;
    const ann = start('ann');
    const tasks = ann.collection(collection);
    const writing = Promise.all(Array.from({ length: 5_000 }, (_, n) => tasks.insert({ _id: `d${n}`, n })));
    const ben = start('ben');
    const subscription = await ben.subscribe(collection);
    await subscription.ready();
    await writing;
    await synced(ann);
    await synced(ben);
    expect(await all(ben, collection)).toHaveLength(5_000);
  });
});
