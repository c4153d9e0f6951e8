import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { refusalOf } from '../rig/refusal-of.ts';
import { startServer, type TestServer } from '../rig/server.ts';
import { mintToken, secret } from '../rig/tokens.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

describe('sync:join', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('is answered with who it is and what holds, then comes the event joined', async () => {
    const client = await server.connect({ userId: 'alice' });
    const answer = await client.call('sync:join', { userId: 'alice', clientId: 'phone', protocol: 1 });
    expect(answer).toEqual({
      success: true,
      userId: 'alice',
      timestamp: expect.any(Number),
      protocol: 1,
      historyId: expect.any(String),
      checkpoint: expect.any(String),
      subscriptionVersion: expect.any(Number),
      limits: { maxBatchSize: 100, maxMessageBytes: 1_048_576, rateLimitMax: 50, rateLimitWindowMs: 10_000 },
    });
    const joined = await client.next('joined');
    expect(joined).toEqual({
      userId: 'alice',
      timestamp: expect.any(Number),
      subscriptionVersion: answer.subscriptionVersion,
    });
  });

  it('without a callback only the event comes', async () => {
    const client = await server.connect();
    client.socket.emit('sync:join', { userId: 'alice' });
    expect(await client.next('joined')).toMatchObject({ userId: 'alice' });
  });

  it('with subscriptions answers their ids in the order of the request, then sends the documents', async () => {
    const client = await server.connect({ userId: 'alice' });
    const answer = await client.join({
      protocol: 1,
      subscriptions: [{ collection: 'b', id: 'second' }, { collection: 'a' }, { collection: 'c', id: 'third' }],
    });
    expect(answer.subscriptionIds).toEqual(['second', expect.any(String), 'third']);
    await client.mark();
    expect(client.payloads('sync:bootstrap').map((page) => page.collection)).toEqual(['b', 'a', 'c']);
    const order = client.received.map(({ event }) => event);
    expect(order.slice(0, 2)).toEqual(['ack of sync:join', 'joined']);
  });

  it('one filter that does not parse, or one id twice, refuses the whole join', async () => {
    const client = await server.connect({ userId: 'alice' });
    const good = { collection: 'a', id: 'x' };
    const join = (subscriptions: unknown) => client.call('sync:join', { userId: 'alice', subscriptions });
    expect(await join([good, { collection: 'a', filter: 'x ==' }])).toMatchObject({ code: 'invalid_query' });
    expect(await join([good, good])).toMatchObject({ success: false, code: 'invalid_message' });
    expect(await client.call('sync:mark')).toMatchObject({ success: false, code: 'unauthenticated' });
    expect(await join([good])).toMatchObject({ success: true, subscriptionIds: ['x'] });
  });

  it('an unknown protocol is unsupported_protocol', async () => {
    const client = await server.connect();
    for (const protocol of [0, 2, 99]) {
      const answer = await client.call('sync:join', { userId: 'alice', protocol });
      expect(answer).toMatchObject({ success: false, code: 'unsupported_protocol' });
    }
    expect(await client.call('sync:join', { userId: 'alice', protocol: 1 })).toMatchObject({ success: true });
  });

  it('without any user is unauthenticated', async () => {
    const client = await server.connect();
    for (const payload of [undefined, {}, { userId: '' }, { userId: null }]) {
      expect(await client.call('sync:join', payload)).toMatchObject({ success: false });
    }
    expect(await client.call('sync:join', {})).toMatchObject({ code: 'unauthenticated' });
  });

  it('before it every event but ping is refused as unauthenticated', async () => {
    const client = await server.connect();
    const change = { operation: 'insert', collection: 'early', documentId: 'a', data: {} };
    for (const [event, payload] of [
      ['sync:auth', { token: 'x' }],
      ['sync:change', change],
      ['sync:changeBatch', { changes: [change] }],
      ['sync:batch_changes', [change]],
      ['sync:subscribe', { collection: 'early' }],
      ['sync:unsubscribe', { collection: 'early' }],
      ['sync:update_subscriptions', { subscriptions: [] }],
      ['sync:get_changes', {}],
      ['sync:mark', {}],
    ] as const) {
      expect([event, await client.ask(event, payload)]).toEqual([
        event,
        expect.objectContaining({ success: false, code: 'unauthenticated' }),
      ]);
    }
    expect(await client.ask('mongoUpsert', { collection: 'early', update: { a: 1 }, query: { _id: 'a' } })).toBe(
      'error',
    );
    expect(await client.ask('mongoDelete', { collection: 'early', query: { _id: 'a' } })).toMatchObject({
      success: false,
    });
    expect(await client.call('ping', { t: 1 })).toMatchObject({ timestamp: expect.any(Number) });
    const reader = await server.user('reader');
    expect((await reader.call('sync:get_changes', { collection: 'early' })).changes).toEqual([]);
  });

  it('events sent right behind it, without waiting for the answer, are handled after it', async () => {
    const client = await server.connect();
    client.socket.emit('sync:join', { userId: 'hasty', protocol: 1 });
    const change = { operation: 'insert', collection: 'hasty', documentId: 'a', data: { n: 1 } };
    const [ack, subscribed] = await Promise.all([
      client.call('sync:change', change),
      client.call('sync:subscribe', { collection: 'hasty' }),
    ]);
    expect(ack).toMatchObject({ success: true });
    expect(subscribed).toMatchObject({ success: true });
  });

  it('again is answered again, also with a new set; as another user it is refused', async () => {
    const client = await server.user('alice');
    expect(await client.join({ protocol: 1 })).toMatchObject({ success: true, userId: 'alice' });
    const answer = await client.join({ protocol: 1, subscriptions: [{ collection: 'again', id: 's' }] });
    expect(answer).toMatchObject({ success: true, subscriptionIds: ['s'] });
    await client.bootstrapped('s');
    expect(await client.call('sync:join', { userId: 'bob' })).toMatchObject({ success: false, code: 'forbidden' });
    expect((await client.write({ collection: 'again', documentId: 'a', data: {} })).success).toBe(true);
    expect((await client.call('sync:get_changes', { collection: 'again' })).changes[0]?.userId).toBe('alice');
  });

  it.each(['websocket', 'polling'] as const)('works over %s', async (transport) => {
    const client = await server.connect({ userId: 'alice', transport });
    expect(await client.join({ protocol: 1 })).toMatchObject({ success: true, userId: 'alice' });
  });
});

describe('ping', () => {
  it('is answered with the times; without a callback comes the event pong', async () => {
    await using server = await startServer();
    const client = await server.connect();
    const t = Date.now() - 50;
    const answer = await client.call('ping', { t });
    expect(answer).toEqual({
      timestamp: expect.any(Number),
      clientTimestamp: t,
      latency: answer.timestamp - t,
    });
    expect(answer.timestamp).toBeGreaterThanOrEqual(t);
    expect(await client.call('ping')).toEqual({ timestamp: expect.any(Number) });
    client.socket.emit('ping');
    expect(await client.next('pong')).toEqual({ timestamp: expect.any(Number) });
    client.socket.emit('ping', { t });
    expect(await client.next('pong')).toMatchObject({ clientTimestamp: t, latency: expect.any(Number) });
  });
});

describe('too many connections', () => {
  it('of a user: the join is refused, then the socket is closed; a place that is left can be taken', async () => {
    await using server = await startServer({ env: { MAX_CONNECTIONS_PER_USER: '2' } });
    const first = await server.user('alice');
    await server.user('alice');
    await server.user('bob');
    const third = await server.connect({ userId: 'alice' });
    const answer = await third.call('sync:join', { userId: 'alice', protocol: 1 });
    expect(answer).toMatchObject({ success: false, code: 'too_many_connections' });
    await third.disconnected();
    first.close();
    await first.disconnected();
    const fourth = await server.connect({ userId: 'alice' });
    expect(await fourth.call('sync:join', { userId: 'alice', protocol: 1 })).toMatchObject({ success: true });
  });

  it('of an address: the handshake is refused', async () => {
    await using server = await startServer({ env: { MAX_CONNECTIONS_PER_IP: '2' } });
    const first = await server.connect();
    await server.connect();
    expect(await refusalOf(server.connect())).toMatchObject({ code: 'too_many_connections' });
    first.close();
    await first.disconnected();
    await server.user('alice');
  });
});

describe('a socket that never joins', () => {
  it('is closed after a while', async () => {
    await using server = await startServer({ env: { JOIN_TIMEOUT_MS: '200' } });
    const client = await server.connect();
    await client.next('disconnect', () => true, 5_000);
  });
});

describe('a socket with a token that began without joining', () => {
  it('becomes a modern one by its join', async () => {
    await using server = await startServer({ env: { AUTH_JWT_SECRET: secret } });
    const client = await server.connect({ token: mintToken({ sub: 'alice' }) });
    await client.write({ collection: 'early', documentId: 'a', data: { n: 1 } });
    await client.join({ protocol: 1, subscriptions: [{ collection: 'early', id: 's' }] });
    await client.bootstrapped('s');
    await client.write({ id: 'own', collection: 'early', documentId: 'b', data: { n: 2 } });
    await client.mark();
    expect(client.deliveries().map((change) => change.id)).toEqual(['own']);
  });
});
