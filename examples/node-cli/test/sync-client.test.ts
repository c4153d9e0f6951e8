import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createClient } from '@tidemark/client';
import { SyncClient } from '@tidemark/client/node';
import { type MongoServer, startMongo } from '@tidemark/storage/mongo-testing';
import { startServer, type TestServer, until } from './server.ts';

jest.setTimeout(60_000);

let server: TestServer;
let mongo: MongoServer;
let folder: string;
let documents = 0;

const rules = `
collections:
  "*":
    read: TRUEPREDICATE
    insert: TRUEPREDICATE
    update: TRUEPREDICATE
    delete: TRUEPREDICATE
  locked:
    read: TRUEPREDICATE
`;

beforeAll(async () => {
  [server, mongo] = await Promise.all([startServer({ rules }), startMongo()]);
  folder = mkdtempSync(join(tmpdir(), 'tidemark-sync-client-'));
});

afterAll(async () => {
  await Promise.all([server.stop(), mongo.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  documents += 1;
});

/** What the server holds, seen by somebody else. */
async function stored(collection: string, id: string): Promise<Record<string, unknown> | undefined> {
  const client = createClient({ url: server.url, auth: { userId: 'witness' } });
  try {
    await client.subscribe(collection, '_id == $0', [id]);
    await client.waitForSync({ timeoutMs: 10_000 });
    return await client.collection(collection).get(id);
  } finally {
    await client.close();
  }
}

describe.each([
  ['MongoDB', () => mongo.uri.replace('/?', '/local_queue?')],
  ['a folder', () => pathToFileURL(folder).href],
])('SyncClient with its queue in %s', (name, uriOf) => {
  const userId = (who: string) => `${who} of ${name}`;
  const newClient = (who: string) => new SyncClient(server.url, userId(who), uriOf());
  const newId = () => `${name}-${documents}`;

  it('does what the first README shows', async () => {
    const client = newClient('user-123');
    await client.initialize();
    await client.connect();
    const id = newId();
    await client.makeChange('insert', 'tasks', id, {
      title: 'Buy groceries',
      completed: false,
      userId: 'user-123',
      sync_updated_at: Date.now(),
    });
    await client.makeChange('update', 'tasks', id, { completed: true, sync_updated_at: Date.now() });
    expect(await stored('tasks', id)).toMatchObject({
      title: 'Buy groceries',
      completed: true,
      _updated_by: userId('user-123'),
    });
    await client.makeChange('delete', 'tasks', id);
    expect(await stored('tasks', id)).toBeUndefined();
    expect(client.isOnline()).toBe(true);
    expect(client.getPendingChangesCount()).toBe(0);
    expect(client.getLastSyncTimestamp()).toBeGreaterThan(1_700_000_000_000);
    await client.disconnect();
    expect(client.isOnline()).toBe(false);
  });

  it('is connected when that is what it was told last', async () => {
    const client = newClient('undecided');
    const calls = [client.connect(), client.disconnect(), client.connect()];
    await Promise.all(calls);
    expect(client.isOnline()).toBe(true);
    const id = newId();
    const change = client.makeChange('insert', 'tasks', id, { title: 'made while it is told to go and to stay' });
    await Promise.all([client.disconnect(), client.connect(), change]);
    expect(client.isOnline()).toBe(true);
    await client.disconnect();
  });

  it('has nothing pending or optimistic once a change was awaited', async () => {
    const client = newClient('awaits');
    await client.initialize();
    await client.connect();
    await client.makeChange('insert', 'tasks', newId(), { title: 'Test' });
    expect(client.getOptimisticChangesCount()).toBe(0);
    expect(client.getAllPendingOperations()).toEqual({ pending: 0, optimistic: 0 });
    await client.disconnect();
  });

  it('queues what is changed offline, and sends it when it connects', async () => {
    const client = newClient('offline');
    await client.initialize();
    await client.connect();
    await client.disconnect();
    const id = newId();
    await Promise.all([
      client.makeChange('insert', 'tasks', id, { status: 'made offline' }),
      client.makeChange('insert', 'tasks', `${id}-b`, { status: 'made offline' }),
    ]);
    expect(client.getPendingChangesCount()).toBe(2);
    expect(client.getOptimisticChangesCount()).toBe(0);
    expect(await stored('tasks', id)).toBeUndefined();
    await client.connect();
    await until('the queue is sent', () => client.getPendingChangesCount() === 0);
    expect(await stored('tasks', id)).toMatchObject({ status: 'made offline' });
    await client.disconnect();
  });

  it('hands the queue on to the next instance of the same user, and to no other', async () => {
    const first = newClient('heir');
    await first.initialize();
    const id = newId();
    await first.makeChange('insert', 'tasks', id, { by: 'the first' });
    await first.disconnect();
    const stranger = newClient('stranger');
    await stranger.initialize();
    expect(stranger.getPendingChangesCount()).toBe(0);
    await stranger.disconnect();
    const second = newClient('heir');
    await second.initialize();
    expect(second.isOnline()).toBe(false);
    expect(second.getPendingChangesCount()).toBe(1);
    await second.connect();
    await until('the queue is sent', () => second.getPendingChangesCount() === 0);
    expect(await stored('tasks', id)).toMatchObject({ by: 'the first' });
    await second.disconnect();
  });

  it('lets two instances at once share the queue, each with its own connection', async () => {
    const [one, other] = [newClient('twice'), newClient('twice')];
    await one.initialize();
    await other.initialize();
    await one.makeChange('insert', 'tasks', newId(), { from: 'one' });
    expect(other.getPendingChangesCount()).toBe(1);
    await other.connect();
    expect([one.isOnline(), other.isOnline()]).toEqual([false, true]);
    await until('the queue is sent', () => one.getPendingChangesCount() === 0);
    await other.disconnect();
    await one.makeChange('insert', 'tasks', `${newId()}-later`, { from: 'one' });
    expect(one.getPendingChangesCount()).toBe(1);
    await one.disconnect();
  });

  it('does not reject when a newer write won', async () => {
    const [one, other] = [newClient('left'), newClient('right')];
    await Promise.all([one.initialize(), other.initialize()]);
    await Promise.all([one.connect(), other.connect()]);
    const id = newId();
    await one.makeChange('insert', 'tasks', id, { value: 100 });
    const both = [one, other].map((client, index) => client.makeChange('update', 'tasks', id, { value: index }));
    await Promise.all(both);
    expect([0, 1]).toContain((await stored('tasks', id))?.value);
    await Promise.all([one.disconnect(), other.disconnect()]);
  });

  it('rejects what the rules forbid', async () => {
    const client = newClient('forbidden');
    await client.initialize();
    await client.connect();
    await expect(client.makeChange('insert', 'locked', newId(), {})).rejects.toMatchObject({ code: 'forbidden' });
    expect(client.getPendingChangesCount()).toBe(0);
    await client.disconnect();
  });

  it('works on while the server is away, and sends when it is back', async () => {
    const client = newClient('patient');
    await client.initialize();
    await client.connect();
    await server.restart();
    await until('the loss is noticed or repaired', () => client.isOnline());
    const id = newId();
    await client.makeChange('insert', 'tasks', id, { after: 'the restart' });
    await until('it is sent', () => client.getPendingChangesCount() === 0, 30_000);
    expect(await stored('tasks', id)).toMatchObject({ after: 'the restart' });
    await client.disconnect();
  });

  it('connects without a server: it goes on offline', async () => {
    const client = new SyncClient('http://127.0.0.1:9', userId('alone'), uriOf());
    await client.initialize();
    await client.connect();
    expect(client.isOnline()).toBe(false);
    await client.makeChange('insert', 'tasks', newId(), {});
    expect(client.getPendingChangesCount()).toBe(1);
    await client.disconnect();
  });
});

describe('SyncClient', () => {
  it('says which kinds of store there are', async () => {
    const client = new SyncClient(server.url, 'nobody', 'redis://localhost');
    await expect(client.initialize()).rejects.toThrow('mongodb:, mongodb+srv: or file:');
  });
});
