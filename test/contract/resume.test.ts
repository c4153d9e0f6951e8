import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { BootstrapMessage } from '@tidemark/protocol';
import type { TestClient } from '../rig/client.ts';
import { startServer, type TestServer } from '../rig/server.ts';
import { View } from '../rig/view.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

let server: TestServer;
let writer: TestClient;
let made = 0;

beforeAll(async () => {
  server = await startServer({ env: { BOOTSTRAP_PAGE: '10' } });
  writer = await server.user('writer');
});
afterAll(() => server[Symbol.asyncDispose]());

const newCollection = () => `resume${++made}`;
const write = (collection: string, documentId: string, data: object) =>
  writer.write({ operation: 'update', collection, documentId, data });
const remove = (collection: string, documentId: string) =>
  writer.write({ operation: 'delete', collection, documentId });

/** A socket that has joined without subscriptions and holds what another one held. */
async function successor(of: TestClient): Promise<TestClient> {
  const client = await server.connect({ userId: 'reader', view: of.view });
  await client.join({ protocol: 1 });
  return client;
}

/** A view of three documents, left behind; then an insert, an update, a delete and a leave happen without it. */
async function absent(collection: string, filter = 'n < 100') {
  for (let n = 0; n < 4; n++) await write(collection, `d${n}`, { n });
  const reader = await server.user('reader');
  await reader.subscribe(collection, { filter });
  const checkpoint = await reader.mark();
  reader.close();
  await write(collection, 'd4', { n: 4 });
  await write(collection, 'd0', { x: 1 });
  await remove(collection, 'd1');
  await write(collection, 'd2', { n: 200 });
  return { reader, checkpoint, filter };
}

const missed = [
  { operation: 'insert', documentId: 'd4' },
  { operation: 'update', documentId: 'd0' },
  { operation: 'delete', reason: 'deleted', documentId: 'd1' },
  { operation: 'delete', reason: 'left', documentId: 'd2' },
];

describe('a fresh socket resumes', () => {
  it('by sync:join with the set and the checkpoint, and gets what it missed', async () => {
    const collection = newCollection();
    const { reader, checkpoint, filter } = await absent(collection);
    const next = await server.connect({ userId: 'reader', view: reader.view });
    const answer = await next.join({ protocol: 1, subscriptions: [{ collection, filter, id: 's' }], checkpoint });
    expect(answer).toMatchObject({ subscriptionIds: ['s'], checkpoint: expect.any(String) });
    await next.mark();
    expect(next.payloads('sync:bootstrap')).toEqual([]);
    expect(next.payloads('sync:reset')).toEqual([]);
    expect(next.deliveries(collection)).toMatchObject(missed);
    expect(next.view.ids(collection)).toEqual(['d0', 'd3', 'd4']);
    await write(collection, 'd5', { n: 5 });
    await next.mark();
    expect(next.view.ids(collection)).toEqual(['d0', 'd3', 'd4', 'd5']);
  });

  it('by sync:update_subscriptions with the set and the checkpoint', async () => {
    const collection = newCollection();
    const { reader, checkpoint, filter } = await absent(collection);
    const next = await successor(reader);
    const set = { subscriptions: [{ collection, filter }], checkpoint };
    expect(await next.call('sync:update_subscriptions', set)).toMatchObject({ success: true });
    await next.mark();
    expect(next.payloads('sync:bootstrap')).toEqual([]);
    expect(next.deliveries(collection)).toMatchObject(missed);
  });

  it('by sync:subscribe with the checkpoint, as its first subscription', async () => {
    const collection = newCollection();
    const { reader, checkpoint, filter } = await absent(collection);
    const next = await successor(reader);
    const answer = await next.call('sync:subscribe', { collection, filter, checkpoint });
    expect(answer).toMatchObject({ success: true, resumed: true });
    await next.mark();
    expect(next.payloads('sync:bootstrap')).toEqual([]);
    expect(next.deliveries(collection)).toMatchObject(missed);
  });

  it('also as an old client', async () => {
    const collection = newCollection();
    const { reader, checkpoint, filter } = await absent(collection);
    const next = await server.connect({ userId: 'reader', view: reader.view });
    await next.join({ subscriptions: [{ collection, filter }], checkpoint });
    await next.mark();
    expect(next.payloads('sync:bootstrap')).toEqual([]);
    expect(next.deliveries(collection)).toMatchObject(missed);
  });

  it('an old client without subscriptions gets what happened meanwhile in all collections', async () => {
    const [one, other] = [newCollection(), newCollection()];
    const old = await server.user('old', {});
    await write(one, 'a', { n: 1 });
    const checkpoint = await old.mark();
    old.close();
    await write(one, 'b', { n: 2 });
    await write(other, 'c', { n: 3 });
    const next = await server.user('old', { checkpoint });
    await next.mark();
    expect(next.deliveries()).toMatchObject([
      { collection: one, documentId: 'b' },
      { collection: other, documentId: 'c' },
    ]);
  });

  it('the whole set at once, those with bootstrap: true being new to it', async () => {
    const [known, fresh] = [newCollection(), newCollection()];
    const { reader, checkpoint, filter } = await absent(known);
    await write(fresh, 'f', { n: 1 });
    const next = await server.connect({ userId: 'reader', view: reader.view });
    await next.join({
      protocol: 1,
      checkpoint,
      subscriptions: [
        { collection: known, filter, id: 'known' },
        { collection: fresh, id: 'fresh', bootstrap: true },
      ],
    });
    await next.bootstrapped('fresh');
    await next.mark();
    expect(next.payloads<BootstrapMessage>('sync:bootstrap').map((page) => page.subscription)).toEqual(['fresh']);
    expect(next.view.ids(known)).toEqual(['d0', 'd3', 'd4']);
    expect(next.view.ids(fresh)).toEqual(['f']);
  });

  it('a later subscription is bootstrapped whatever it says', async () => {
    const [first, second] = [newCollection(), newCollection()];
    await write(second, 'a', { n: 1 });
    const { reader, checkpoint, filter } = await absent(first);
    const next = await successor(reader);
    expect(await next.call('sync:subscribe', { collection: first, filter, checkpoint })).toMatchObject({
      resumed: true,
    });
    const later = await next.call('sync:subscribe', { collection: second, checkpoint });
    expect(later).toMatchObject({ success: true, resumed: false });
    expect((await next.bootstrapped(later.subscriptionId)).data).toMatchObject([{ _id: 'a' }]);
    await next.mark();
    expect(next.view.ids(first)).toEqual(['d0', 'd3', 'd4']);
  });

  it('bootstrap: true wins over a checkpoint', async () => {
    const collection = newCollection();
    const { checkpoint } = await absent(collection);
    const next = await server.user('reader');
    const answer = await next.call('sync:subscribe', { collection, checkpoint, bootstrap: true });
    expect(answer).toMatchObject({ success: true, resumed: false });
    await next.bootstrapped(answer.subscriptionId);
    await next.mark();
    expect(next.view.ids(collection)).toEqual(['d0', 'd2', 'd3', 'd4']);
  });

  it('far behind, it is sent everything in order, page after page, while others write', async () => {
    const collection = newCollection();
    const reader = await server.user('reader');
    await reader.subscribe(collection);
    const checkpoint = await reader.mark();
    reader.close();
    const burst = (from: number) =>
      writer.call('sync:changeBatch', {
        changes: Array.from({ length: 100 }, (_, n) => ({
          operation: 'update',
          collection,
          documentId: `d${(from + n) % 50}`,
          data: { n: from + n },
        })),
      });
    for (let n = 0; n < 1_500; n += 100) await burst(n);
    const next = await server.connect({ userId: 'reader', view: reader.view });
    await next.join({ protocol: 1, subscriptions: [{ collection }], checkpoint });
    for (let n = 1_500; n < 2_000; n += 100) await burst(n);
    await next.mark();
    expect(next.deliveries(collection)).toHaveLength(2_000);
    const values = next.view.documents(collection).map((document) => document.n as number);
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => 1_950 + n));
  });
});

describe('the position', () => {
  it('any token that a socket was sent is good to go on from, and never ahead of what was sent', async () => {
    const collection = newCollection();
    const reader = await server.user('reader');
    const tokens: { readonly checkpoint: string; readonly held: number }[] = [];
    const note = (checkpoint: string | undefined) => {
      if (checkpoint !== undefined) tokens.push({ checkpoint, held: reader.view.ids(collection).length });
    };
    reader.socket.on('sync:bootstrap', (page: BootstrapMessage) => note(page.checkpoint));
    reader.socket.on('sync:changes', (_changes, tail: { checkpoint: string }) => note(tail.checkpoint));
    for (let n = 0; n < 12; n++) await write(collection, `a${n}`, { n });
    await reader.subscribe(collection);
    for (let n = 0; n < 12; n++) await write(collection, `b${n}`, { n });
    note(await reader.mark());
    expect(tokens.length).toBeGreaterThan(2);
    for (const { checkpoint, held } of tokens) {
      const next = await server.user('reader');
      next.view.isPartial = true;
      const answer = await next.call('sync:subscribe', { collection, checkpoint });
      expect(answer.resumed).toBe(true);
      await next.mark();
      expect(new Set(next.deliveries(collection).map((change) => change.documentId)).size).toBeGreaterThanOrEqual(
        24 - held,
      );
      next.close();
    }
  });

  it('the token that a later subscription leaves behind is safe with the set that it was received for', async () => {
    const [first, second] = [newCollection(), newCollection()];
    for (let n = 0; n < 50; n++) await write(second, `d${n}`, { n });
    const reader = await server.user('reader');
    await reader.subscribe(first);
    const subscribed = reader.call('sync:subscribe', { collection: second, id: 'second' });
    await write(first, 'during', { n: 1 });
    await subscribed;
    const { checkpoint } = await reader.bootstrapped('second');
    reader.close();
    await write(first, 'after', { n: 2 });
    await remove(second, 'd7');
    const next = await server.connect({ userId: 'reader', view: reader.view });
    await next.join({ protocol: 1, subscriptions: [{ collection: first }, { collection: second }], checkpoint });
    await next.mark();
    expect(next.payloads('sync:reset')).toEqual([]);
    expect(next.view.ids(first)).toEqual(['after', 'during']);
    expect(next.view.ids(second)).toHaveLength(49);
  });

  it('the same position has the same token, whichever message carries it', async () => {
    const collection = newCollection();
    const reader = await server.user('reader');
    const page = await (async () => {
      const { subscriptionId } = await reader.call('sync:subscribe', { collection });
      return reader.bootstrapped(subscriptionId);
    })();
    expect(await reader.mark()).toBe(page.checkpoint);
    await write(collection, 'a', { n: 1 });
    await reader.next('sync:changes');
    const carried = reader.received.findLast(({ event }) => event === 'sync:changes')?.args[1];
    expect(carried).toEqual({ checkpoint: await reader.mark() });
  });
});

describe('a checkpoint that cannot be served', () => {
  const foreign = async () => {
    await using other = await startServer();
    const client = await other.user('somebody');
    return await client.mark();
  };

  it.each([
    ['garbage', async () => 'garbage'],
    ['a forged version', async () => '1.e30'],
    ['one of another server', foreign],
  ])('%s: the join succeeds, then sync:reset, then everything is bootstrapped', async (_what, token) => {
    const collection = newCollection();
    await write(collection, 'a', { n: 1 });
    const reader = await server.connect({ userId: 'reader' });
    await reader.join({ protocol: 1, subscriptions: [{ collection, id: 's' }], checkpoint: await token() });
    await reader.bootstrapped('s');
    const order = reader.received.map(({ event }) => event);
    expect(order.filter((event) => event !== 'joined')).toEqual(['ack of sync:join', 'sync:reset', 'sync:bootstrap']);
    expect(reader.payloads('sync:reset')).toEqual([{ reason: expect.any(String), collections: [collection] }]);
    await write(collection, 'b', { n: 2 });
    await reader.mark();
    expect(reader.view.ids(collection)).toEqual(['a', 'b']);
  });

  it('a subscribe succeeds, is not resumed, then sync:reset, then the documents', async () => {
    const collection = newCollection();
    await write(collection, 'a', { n: 1 });
    const reader = await server.user('reader');
    reader.forget();
    const answer = await reader.call('sync:subscribe', { collection, checkpoint: 'garbage' });
    expect(answer).toMatchObject({ success: true, resumed: false });
    await reader.bootstrapped(answer.subscriptionId);
    expect(reader.received.map(({ event }) => event)).toEqual([
      'ack of sync:subscribe',
      'sync:reset',
      'sync:bootstrap',
    ]);
    expect(reader.view.ids(collection)).toEqual(['a']);
  });

  it('an update succeeds, then sync:reset, then the documents', async () => {
    const collection = newCollection();
    await write(collection, 'a', { n: 1 });
    const reader = await server.user('reader');
    const set = { subscriptions: [{ collection, id: 's' }], checkpoint: 'garbage' };
    expect(await reader.call('sync:update_subscriptions', set)).toMatchObject({ success: true });
    await reader.bootstrapped('s');
    expect(reader.payloads('sync:reset')).toHaveLength(1);
    expect(reader.view.ids(collection)).toEqual(['a']);
  });

  it('sync:get_changes is refused with reset_required', async () => {
    const reader = await server.user('reader');
    for (const checkpoint of ['garbage', await foreign()]) {
      const answer = await reader.call('sync:get_changes', { checkpoint });
      expect(answer).toMatchObject({ success: false, code: 'reset_required' });
    }
  });

  it('a token that is no text at all is invalid_message', async () => {
    const reader = await server.user('reader');
    for (const checkpoint of [1, {}, [], true]) {
      const answer = await reader.call('sync:subscribe', { collection: newCollection(), checkpoint });
      expect(answer).toMatchObject({ success: false, code: 'invalid_message' });
    }
  });
});

describe('until the last page of its first bootstrap', () => {
  it('a client holds no position; cut off, it asks for documents again and ends complete', async () => {
    const collection = newCollection();
    const changes = Array.from({ length: 95 }, (_, n) => ({
      operation: 'insert',
      collection,
      documentId: `d${n}`,
      data: { n },
    }));
    await writer.call('sync:changeBatch', { changes });
    const reader = await server.user('reader');
    await reader.call('sync:subscribe', { collection });
    await reader.next('sync:bootstrap');
    reader.close();
    const pages = reader.payloads<BootstrapMessage>('sync:bootstrap');
    for (const page of pages.filter(({ hasMore }) => hasMore)) expect(page).not.toHaveProperty('checkpoint');
    await remove(collection, 'd0');
    const next = await server.connect({ userId: 'reader', view: new View() });
    await next.join({ protocol: 1, subscriptions: [{ collection, id: 's' }] });
    await next.bootstrapped('s');
    await next.mark();
    expect(next.view.ids(collection)).toHaveLength(94);
  });
});
