import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../test/manual-clock.ts';
import { ackAll, changesOf, ScriptedSocket } from '../test/scripted-socket.ts';
import { settle } from '../test/settle.ts';
import { type Client, createClient } from './client.ts';
import type { ClientOptions } from './client-options.ts';
import { MemoryStore } from './local/memory-store.ts';
import { LocalStoreError } from './local/port.ts';

let clock: ManualClock;
let socket: ScriptedSocket;
let clients: Client[];

beforeEach(() => {
  clock = new ManualClock();
  socket = new ScriptedSocket();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) await client.close();
  expect(clock.timers).toBe(0);
});

function start(options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url: 'http://x', auth: { userId: 'ann' }, clock, socket: socket.factory, ...options });
  clients.push(client);
  return client;
}

describe('opening', () => {
  it('rejects what needs the store when it cannot be read', async () => {
    const store = new MemoryStore();
    store.load = () => Promise.reject(new LocalStoreError('failed', 'broken'));
    const client = start({ store });
    await expect(client.ready).rejects.toMatchObject({ code: 'store_failed' });
    await expect(client.collection('tasks').get('a')).rejects.toMatchObject({ code: 'store_failed' });
    await expect(client.subscribe('tasks')).rejects.toMatchObject({ code: 'store_failed' });
    expect(socket.opened).toEqual([]);
  });

  it('does not connect when it is told not to', async () => {
    const client = start({ connect: false });
    await client.ready;
    expect(client.status.connection).toBe('paused');
    client.resume();
    expect(client.status.connection).toBe('connecting');
  });

  it('does not connect before it has read the store, whatever it is told', async () => {
    const store = new MemoryStore();
    const first = start({ store });
    await first.ready;
    socket.accept('ann');
    await first.close();
    const second = start({ store, connect: false });
    second.resume();
    expect(socket.isOpen).toBe(false);
    await second.ready;
    socket.accept('ben');
    expect(second.status.problem?.code).toBe('wrong_user');
    await second.close();
    const paused = start();
    paused.pause();
    await paused.ready;
    expect(paused.status.connection).toBe('paused');
  });

  it('refuses what is asked of it after it was closed, and does nothing more', async () => {
    const client = start({ connect: false });
    const problems: unknown[] = [];
    client.on('problem', (problem) => problems.push(problem));
    const subscription = await client.subscribe('tasks');
    await client.close();
    await expect(client.collection('tasks').insert({ n: 1 })).rejects.toMatchObject({ code: 'closed' });
    await expect(subscription.unsubscribe()).rejects.toMatchObject({ code: 'closed' });
    expect(problems).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('drops subscriptions that nobody has asked for in a long time', async () => {
    const store = new MemoryStore();
    const day = 86_400_000;
    const first = start({ store, keepUnclaimedMs: 7 * day });
    await first.subscribe('old');
    await first.close();
    clock.jump(6 * day);
    const second = start({ store, keepUnclaimedMs: 7 * day });
    await second.subscribe('new');
    await second.close();
    clock.jump(2 * day);
    const third = start({ store, keepUnclaimedMs: 7 * day });
    await third.ready;
    expect(third.inspect().subscriptions.map(({ collection }) => collection)).toEqual(['new']);
  });
});

describe('writing', () => {
  it('shows at once, and gives a document an id of its own', async () => {
    const client = start({ connect: false });
    await client.ready;
    const writing = client.collection('tasks').insert({ title: 'x', nothing: undefined });
    const [shown] = await client.collection('tasks').query().find();
    expect(shown).toEqual({ _id: expect.stringMatching(/^[0-9a-z]{20}$/), title: 'x' });
    expect((await writing).documentId).toBe(shown?._id);
  });

  it('is not touched by what the program does to its object later', async () => {
    const client = start({ connect: false });
    const list = [1];
    await client.collection('tasks').insert({ _id: 'a', list });
    list.push(2);
    expect(await client.collection('tasks').get('a')).toEqual({ _id: 'a', list: [1] });
  });

  it.each([
    ['an id that is none', () => ({ _id: '' }), 'invalid_message'],
    ['a key with $', () => ({ _id: 'a', $set: 1 }), 'invalid_document'],
    ['a number that is none', () => ({ _id: 'a', n: Number.NaN }), 'invalid_document'],
    ['a Date', () => ({ _id: 'a', at: new Date(0) }), 'invalid_document'],
    ['no object', () => 'text' as never, 'invalid_message'],
  ])('refuses %s', async (_what, document, code) => {
    const client = start({ connect: false });
    await expect(client.collection('tasks').insert(document() as never)).rejects.toMatchObject({ code });
    expect(client.status.optimistic).toBe(0);
  });

  it('refuses a field that is both set and unset, and a collection without a name', async () => {
    const client = start({ connect: false });
    await expect(client.collection('tasks').update('a', { x: 1 }, { unset: ['x'] })).rejects.toMatchObject({
      code: 'invalid_document',
    });
    await expect(client.collection('').delete('a')).rejects.toMatchObject({ code: 'invalid_message' });
  });

  it('keeps a bounded outbox', async () => {
    const client = start({ connect: false, maxPending: 2 });
    const tasks = client.collection('tasks');
    await tasks.delete('a');
    await tasks.delete('b');
    await expect(tasks.delete('c')).rejects.toMatchObject({ code: 'outbox_full' });
    expect(client.outbox()).toHaveLength(2);
  });

  it('takes back at once what the store has no room for, and sends nothing of it', async () => {
    const store = new MemoryStore();
    const client = start({ store });
    const problems: string[] = [];
    client.on('problem', ({ code }) => problems.push(code));
    await client.ready;
    socket.accept();
    await settle();
    const write = store.write.bind(store);
    store.write = () => Promise.reject(new LocalStoreError('full', 'no room'));
    await expect(client.collection('tasks').insert({ _id: 'a' })).rejects.toMatchObject({ code: 'store_full' });
    expect(problems).toEqual(['store_full']);
    expect(await client.collection('tasks').get('a')).toBeUndefined();
    store.write = write;
    clock.advance(5_000);
    await settle();
    expect(socket.calls.map(({ event }) => event)).toEqual(['sync:mark']);
  });

  it('ignores what only the server may say', async () => {
    const client = start({ connect: false });
    await client.collection('tasks').insert({ _id: 'a', sync_version: 9, _updated_by: 'x', sync_updated_at: 5 });
    expect(await client.collection('tasks').get('a')).toEqual({ _id: 'a' });
  });
});

describe('sending', () => {
  /** The client has joined, and asked for nothing but its mark. */
  async function joined(client: Client): Promise<void> {
    await client.ready;
    socket.accept();
    socket.take('sync:mark');
  }

  const write = (client: Client, count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => client.collection('tasks').insert({ _id: `d${index}` })));

  it('goes in batches of the size that the server takes, one at a time', async () => {
    const client = start();
    await joined(client);
    await write(client, 7);
    await settle();
    const sizes: number[] = [];
    for (let batch = 0; batch < 3; batch++) {
      const call = socket.take('sync:changeBatch');
      expect(socket.calls).toEqual([]);
      sizes.push(changesOf(call).length);
      ackAll(call);
    }
    expect(sizes).toEqual([3, 3, 1]);
    expect(client.status.pending).toBe(0);
  });

  it('fits a batch into the size of a message, and rejects alone what never fits', async () => {
    const client = start();
    const compensated: unknown[] = [];
    client.on('compensated', (taken) => compensated.push(taken));
    await joined(client);
    const tasks = client.collection('tasks');
    await Promise.all([
      tasks.insert({ _id: 'a', text: 'x'.repeat(800) }),
      tasks.insert({ _id: 'huge', text: 'x'.repeat(3_000) }),
      tasks.insert({ _id: 'b', text: 'x'.repeat(800) }),
    ]);
    await settle();
    const first = socket.take('sync:changeBatch');
    expect(changesOf(first).map(({ documentId }) => documentId)).toEqual(['a']);
    expect(compensated).toMatchObject([{ documentId: 'huge', code: 'too_large', outcome: 'rejected' }]);
    ackAll(first);
    expect(changesOf(socket.take('sync:changeBatch')).map(({ documentId }) => documentId)).toEqual(['b']);
  });

  it('finds the change that a refused batch is to blame for', async () => {
    const client = start();
    const compensated: string[] = [];
    client.on('compensated', ({ documentId }) => compensated.push(String(documentId)));
    await joined(client);
    await write(client, 3);
    await settle();
    for (let attempts = 0; attempts < 10 && socket.calls.length > 0; attempts++) {
      const call = socket.take('sync:changeBatch');
      const isBad = changesOf(call).some(({ documentId }) => documentId === 'd1');
      if (isBad) call.answer({ success: false, code: 'invalid_message', error: 'd1 is bad' });
      else ackAll(call);
    }
    expect(compensated).toEqual(['d1']);
    expect(client.status.pending).toBe(0);
  });

  it('tries again, in order, what the server was too busy for; gives up what it fails on ten times', async () => {
    const client = start();
    const compensated: unknown[] = [];
    client.on('compensated', (taken) => compensated.push(taken));
    await joined(client);
    await write(client, 1);
    await settle();
    ackAll(socket.take('sync:changeBatch'), {
      success: false,
      outcome: 'rejected',
      code: 'unavailable',
      error: 'x',
      retryAfterMs: 300,
    });
    clock.advance(299);
    expect(socket.calls).toEqual([]);
    clock.advance(1);
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(compensated).toEqual([]);
      ackAll(socket.take('sync:changeBatch'), { success: false, outcome: 'rejected', code: 'internal', error: 'x' });
      clock.advance(29_000);
    }
    expect(compensated).toMatchObject([{ code: 'internal', outcome: 'rejected' }]);
  });

  it('settles every write once', async () => {
    const client = start();
    const settled: unknown[] = [];
    client.on('settled', (one) => settled.push(one));
    await client.ready;
    socket.accept();
    await client.subscribe('tasks');
    await write(client, 1);
    await settle();
    const batch = socket.calls.find(({ event }) => event === 'sync:changeBatch') as (typeof socket.calls)[0];
    const [change] = changesOf(batch);
    const delivered = {
      id: change?.id,
      userId: 'ann',
      timestamp: 1,
      operation: 'insert',
      collection: 'tasks',
      documentId: 'd0',
      version: 1,
      data: { _id: 'd0' },
    };
    socket.emit('sync:changes', [delivered], { checkpoint: 'c1' });
    socket.emit('sync:changes', [delivered], { checkpoint: 'c1' });
    ackAll(batch);
    expect(settled).toEqual([{ changeId: change?.id, outcome: 'applied' }]);
  });
});

describe('identity', () => {
  it('asks for a fresh token before every connection', async () => {
    let tokens = 0;
    const client = start({ auth: { token: async () => `t${++tokens}` } });
    await client.ready;
    await settle();
    expect(socket.opened[0]).toEqual({ url: 'http://x', token: 't1' });
    expect(socket.accept().payload).toMatchObject({ token: 't1' });
    socket.close();
    clock.advance(1_000);
    await settle();
    expect(socket.opened[1]).toMatchObject({ token: 't2' });
  });

  it('renews a token before it expires', async () => {
    let tokens = 0;
    const client = start({ auth: { token: () => `t${++tokens}` } });
    await client.ready;
    await settle();
    socket.accept();
    socket.take('sync:mark');
    socket.emit('sync:error', { code: 'token_expiring', error: 'soon' });
    await settle();
    const call = socket.take('sync:auth');
    expect(call.payload).toEqual({ token: 't2' });
    call.answer({ success: true, expiresAt: 5 });
  });

  it('tells when a token cannot be had, and tries again', async () => {
    let isDown = true;
    const token = () => (isDown ? Promise.reject(new Error('no identity provider')) : 'good');
    const client = start({ auth: { token } });
    await client.ready;
    await settle();
    expect(client.status).toMatchObject({
      connection: 'offline',
      problem: { message: 'no token: no identity provider' },
    });
    isDown = false;
    clock.advance(1_000);
    await settle();
    expect(client.status.connection).toBe('connecting');
  });

  it('sends nothing of one user as another', async () => {
    const store = new MemoryStore();
    const first = start({ store });
    await first.ready;
    socket.accept('ann');
    await settle();
    await first.close();
    const second = start({ store, auth: { userId: 'ben' } });
    await second.collection('tasks').insert({ _id: 'secret' });
    socket.accept('ben');
    await settle();
    expect(second.status).toMatchObject({ connection: 'blocked', pending: 1, problem: { code: 'wrong_user' } });
    expect(socket.calls).toEqual([]);
    expect(socket.isOpen).toBe(false);
  });

  it('stops when the server refuses, and waits when it has too many connections', async () => {
    const client = start();
    await client.ready;
    socket.close({ message: 'too many', code: 'too_many_connections', retryAfterMs: 5_000 });
    expect(client.status.connection).toBe('offline');
    clock.advance(4_999);
    expect(client.status.connection).toBe('offline');
    clock.advance(1);
    socket.close({ message: 'bad token', code: 'unauthenticated' });
    expect(client.status).toMatchObject({
      connection: 'blocked',
      problem: { code: 'unauthenticated', message: 'bad token' },
    });
  });
});

describe('the connection', () => {
  it('counts as lost when it does not open, when an answer does not come, and when a message makes no sense', async () => {
    const client = start({ requestTimeoutMs: 2_000 });
    await client.ready;
    clock.advance(2_000);
    expect(client.status).toMatchObject({ connection: 'offline', problem: { code: 'unavailable' } });
    client.wake();
    socket.open();
    clock.advance(2_000);
    expect(client.status.problem?.message).toBe('sync:join was not answered within 2000 ms');
    client.wake();
    socket.accept();
    socket.emit('sync:changes', 'nonsense');
    expect(client.status.problem?.message).toContain('agreed shape');
  });

  it('follows the clock of the server', async () => {
    const client = start();
    await client.ready;
    socket.accept('ann', clock.now() + 3_600_000);
    await client.collection('tasks').insert({ _id: 'a' });
    expect(client.outbox()[0]?.timestamp).toBe(clock.now() + 3_600_000);
  });
});

describe('subscribing', () => {
  const live = async (client: Client) => {
    await client.ready;
    socket.accept();
    socket.take('sync:mark').answer({ success: true, checkpoint: 'c0' });
  };
  const accept = (call = socket.take('sync:subscribe')) => {
    call.answer({ success: true, subscriptionId: call.payload.id, resumed: false, count: 1 });
    return call.payload.id as string;
  };
  const page = (id: string, data: unknown[]) =>
    socket.emit('sync:bootstrap', {
      subscription: id,
      collection: 'tasks',
      data,
      page: 0,
      hasMore: false,
      checkpoint: 'c1',
    });

  it('shares equal subscriptions, however they are written; the last one ends it', async () => {
    const client = start({ connect: false });
    const one = await client.subscribe('tasks', 'n == $0 && m == 2', [1]);
    const other = await client.subscribe('tasks', '2 == m AND n == 1');
    expect(other.id).toBe(one.id);
    await one.unsubscribe();
    expect(client.inspect().subscriptions).toHaveLength(1);
    expect(other.state.kind).toBe('pending');
    await other.unsubscribe();
    await other.unsubscribe();
    expect(client.inspect().subscriptions).toEqual([]);
  });

  it('refuses what does not parse, with the position, and more than there may be', async () => {
    const client = start({ connect: false });
    await expect(client.subscribe('tasks', 'n = = 1')).rejects.toMatchObject({
      code: 'invalid_query',
      position: expect.any(Number),
    });
    for (let index = 0; index < 500; index++) await client.subscribe('tasks', 'n == $0', [index]);
    await expect(client.subscribe('tasks', 'n == 500')).rejects.toMatchObject({ code: 'too_large' });
  });

  it('tells every state', async () => {
    const client = start();
    await live(client);
    const subscription = await client.subscribe('tasks');
    const states = [subscription.state.kind];
    subscription.onState(({ kind }) => states.push(kind));
    page(accept(), [{ _id: 'a', sync_version: 1 }]);
    await subscription.ready();
    await subscription.unsubscribe();
    expect(states).toEqual(['pending', 'bootstrapping', 'complete', 'ended']);
    await expect(subscription.ready()).rejects.toMatchObject({ code: 'closed' });
  });

  it('supersedes by name, without an empty view in between', async () => {
    const client = start();
    await live(client);
    const sizes: number[] = [];
    const old = await client.subscribe('tasks', 'n == 1', [], { name: 'mine' });
    page(accept(), [{ _id: 'a', n: 1, sync_version: 1 }]);
    client
      .collection('tasks')
      .query()
      .observe(({ documents }) => sizes.push(documents.length));
    await client.subscribe('tasks', 'n == 2', [], { name: 'mine' });
    expect(old.state.kind).toBe('superseded');
    const calls = socket.calls.splice(0);
    for (const call of calls) {
      if (call.event === 'sync:unsubscribe') call.answer({ success: true, count: 0 });
      if (call.event === 'sync:subscribe') page(accept(call), [{ _id: 'b', n: 2, sync_version: 2 }]);
    }
    await settle();
    expect(sizes).not.toContain(0);
    expect((await client.collection('tasks').query().find()).map(({ _id }) => _id)).toEqual(['b']);
  });

  it('tells an error, tries again what may pass, and all of it when asked again', async () => {
    const client = start();
    await live(client);
    const subscription = await client.subscribe('tasks');
    socket.take('sync:subscribe').answer({ success: false, code: 'overloaded', error: 'busy', retryAfterMs: 700 });
    expect(subscription.state).toEqual({ kind: 'error', code: 'overloaded', message: 'busy' });
    await expect(subscription.ready()).rejects.toMatchObject({ code: 'overloaded' });
    socket.calls = [];
    clock.advance(700);
    socket.take('sync:subscribe').answer({ success: false, code: 'forbidden', error: 'not yours' });
    socket.calls = [];
    clock.advance(20_000);
    expect(socket.calls).toEqual([]);
    await client.subscribe('tasks');
    accept();
    expect(subscription.state.kind).toBe('bootstrapping');
  });

  it('is waited for by waitForSync when it could not be served yet, not when it is refused for good', async () => {
    const client = start();
    await live(client);
    const unserved = await client.subscribe('tasks', 'n == 1');
    await client.subscribe('tasks', 'n == 2');
    let isInSync = false;
    void client.waitForSync().then(() => {
      isInSync = true;
    });
    await settle();
    for (let call = socket.calls.shift(); call; call = socket.calls.shift()) {
      const code = call.payload.filter === 'n == 1' ? 'overloaded' : 'forbidden';
      const isMark = call.event === 'sync:mark';
      call.answer(isMark ? { success: true, checkpoint: 'c1' } : { success: false, code, error: 'not now' });
    }
    await settle();
    expect(client.status.connection).toBe('live');
    expect(isInSync).toBe(false);
    await unserved.unsubscribe();
    await settle();
    expect(isInSync).toBe(true);
  });

  it('does without a filter that the server does not know', async () => {
    const client = start();
    await client.subscribe('tasks', 'n == 1');
    await client.subscribe('tasks', 'n == 2');
    socket.open();
    socket.take('sync:join').answer({ success: false, code: 'invalid_query', error: 'n == 2?' });
    const again = socket.take('sync:join');
    expect(JSON.parse(JSON.stringify(again.payload))).not.toHaveProperty('subscriptions');
    again.answer({
      success: true,
      userId: 'ann',
      timestamp: clock.now(),
      historyId: 'h',
      limits: { maxBatchSize: 1, maxMessageBytes: 1_000 },
    });
    const asked = socket.calls.filter(({ event }) => event === 'sync:subscribe');
    expect(asked.map(({ payload }) => payload.filter)).toEqual(['n == 1', 'n == 2']);
    accept(asked[0]);
    asked[1]?.answer({ success: false, code: 'invalid_query', error: 'n == 2?' });
    expect(client.inspect().subscriptions.map(({ state }) => state.kind)).toEqual(['bootstrapping', 'error']);
    socket.close();
    clock.advance(1_000);
    socket.open();
    expect((socket.take('sync:join').payload.subscriptions as unknown[]).length).toBe(1);
  });
});

describe('waitForSync', () => {
  it('gives up after its time, and when the client is closed', async () => {
    const client = start({ connect: false });
    await client.ready;
    const waiting = expect(client.waitForSync({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'timeout' });
    await settle();
    clock.advance(100);
    await waiting;
    const other = expect(client.waitForSync()).rejects.toMatchObject({ code: 'closed' });
    await settle();
    await client.close();
    await other;
    await expect(client.waitForSync()).rejects.toMatchObject({ code: 'closed' });
    await expect(client.subscribe('tasks')).rejects.toMatchObject({ code: 'closed' });
  });
});
