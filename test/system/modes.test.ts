import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeliveredMessage } from '@tidemark/protocol';
import type { TestClient } from '../rig/client.ts';
import type { TestMode } from '../rig/running-server.ts';
import { startServer, type TestServer } from '../rig/server.ts';
import { mintToken, secret } from '../rig/tokens.ts';
import { waitUntil } from '../rig/wait-until.ts';

/** The same tests on every way to run the system. A "gateway" of a server that is one process is that process. */
const modes: readonly TestMode[] = ['standalone', 'mongo', 'fleet'];

const rules = `
collections:
  '*': { read: true, insert: true, update: true, delete: true }
  notes:
    read: owner == $user.sub
    insert: owner == $user.sub
    update: owner == $user.sub
    delete: owner == $user.sub
`;

const env = {
  NODE_ENV: 'production',
  AUTH_JWT_SECRET: secret,
  OPERATOR_TOKEN: 'the-token-of-the-operator',
  MAX_CONNECTIONS_PER_USER: '3',
  SYNC_RATE_LIMIT_MAX: '60',
  SYNC_RATE_LIMIT_WINDOW_MS: '10000',
  ALLOWED_ORIGINS: '*',
};
const operator = { authorization: `Bearer ${env.OPERATOR_TOKEN}` };
const startsWithin = 120_000;

describe.each(modes)('on %s', (mode) => {
  let server: TestServer;
  let made = 0;
  beforeAll(async () => {
    server = await startServer({ mode, env, rules });
  }, startsWithin);
  afterAll(() => server?.[Symbol.asyncDispose](), startsWithin);

  const newCollection = () => `things${++made}`;
  /** A user of its own, so that limits of one test are not another's. */
  const newUser = (name: string) => `${name}${++made}`;

  async function user(
    userId: string,
    gateway: number,
    join: Readonly<Record<string, unknown>> = { protocol: 1 },
  ): Promise<TestClient> {
    const client = await server.connectTo(gateway, { token: mintToken({ sub: userId }) });
    await client.join(join);
    return client;
  }

  /** A writer at the first gateway and a reader with a subscription at the second. */
  async function pair(more: Readonly<Record<string, unknown>> = {}) {
    const collection = newCollection();
    const [writer, reader] = [await user(newUser('w'), 0), await user(newUser('r'), 1)];
    await reader.subscribe(collection, more);
    return { collection, writer, reader };
  }

  describe('joining', () => {
    it('tells the same history and the same limits at every gateway', async () => {
      const [a, b] = [await server.connectTo(0, asUser('a')), await server.connectTo(1, asUser('b'))];
      const [first, second] = [await a.join({ protocol: 1 }), await b.join({ protocol: 1 })];
      expect(first.historyId).toBe(second.historyId);
      expect(first.limits).toEqual(second.limits);
      expect(first.limits).toMatchObject({ rateLimitMax: 60, rateLimitWindowMs: 10_000 });
    });

    it('is refused without a token, at every gateway', async () => {
      for (const gateway of [0, 1]) {
        const client = await server.connectTo(gateway);
        expect(await client.call('sync:join', { userId: 'someone' })).toMatchObject({
          success: false,
          code: 'unauthenticated',
        });
      }
    });
  });

  describe('writing', () => {
    it('of both dialects reaches a subscriber at the other gateway', async () => {
      const { collection, writer, reader } = await pair();
      await writer.write({ id: `${collection}-1`, collection, documentId: 'new', data: { n: 1 } });
      expect(await writer.call('mongoUpsert', { collection, update: { n: 2 }, query: { _id: 'old' } })).toBe('ok');
      await writer.write({ operation: 'update', collection, documentId: 'new', data: { m: 2 } });
      expect(await writer.call('mongoDelete', { collection, query: { _id: 'old' } })).toEqual({ success: true });
      await reader.mark();
      expect(reader.view.documents(collection)).toEqual([expect.objectContaining({ _id: 'new', n: 1, m: 2 })]);
      expect(reader.deliveries(collection).map(({ operation }) => operation)).toHaveLength(4);
    });

    it('of a batch answers in order, whatever lanes its documents are in', async () => {
      const { collection, writer, reader } = await pair();
      const ids = Array.from({ length: 20 }, (_, n) => `d${n}`);
      const changes = ids.map((documentId) => ({
        id: `${collection}-${documentId}`,
        ...insert(collection, documentId),
      }));
      const answer = await writer.call('sync:changeBatch', { changes });
      expect(answer).toMatchObject({ success: true, totalProcessed: 20, successCount: 20 });
      expect(answer.results.map(({ changeId }) => changeId)).toEqual(changes.map(({ id }) => id));
      const acks = await writer.call('sync:batch_changes', changes);
      expect(acks.map(({ changeId, outcome }) => [changeId, outcome])).toEqual(
        changes.map(({ id }) => [id, 'duplicate']),
      );
      await reader.mark();
      expect(reader.view.ids(collection)).toEqual([...ids].sort());
    });

    it('atomically is all or nothing, over lanes', async () => {
      const { collection, writer, reader } = await pair();
      const ids = Array.from({ length: 12 }, (_, n) => `d${n}`);
      await writer.write({ ...insert(collection, 'd7'), timestamp: Date.now() + 30_000 });
      const changes = ids.map((id) => ({ ...insert(collection, id), timestamp: Date.now() }));
      const lost = await writer.call('sync:changeBatch', { changes, atomic: true });
      expect(lost.success).toBe(false);
      expect(lost.results.map(({ code }) => code)).toEqual(
        ids.map((id) => (id === 'd7' ? 'conflict' : 'atomic_aborted')),
      );
      const won = changes.filter(({ documentId }) => documentId !== 'd7');
      expect(await writer.call('sync:changeBatch', { changes: won, atomic: true })).toMatchObject({ success: true });
      await reader.mark();
      expect(reader.view.ids(collection)).toEqual([...ids].sort());
      expect(reader.deliveries(collection)).toHaveLength(12);
    });

    it('again with the same id, at the other gateway, has no second effect', async () => {
      const { collection, writer, reader } = await pair();
      const userId = newUser('twice');
      const change = { id: 'same', ...insert(collection, 'd'), data: { n: 1 } };
      const [here, there] = [await user(userId, 0), await user(userId, 1)];
      const first = await here.write(change);
      const again = await there.call('sync:change', { ...change, data: { n: 2 } });
      expect(again).toMatchObject({ success: true, outcome: 'duplicate', lane: first.lane, seq: first.seq });
      await writer.write(insert(collection, 'last'));
      await reader.mark();
      expect(reader.view.get(collection, 'd')).toMatchObject({ n: 1 });
      expect(reader.deliveries(collection)).toHaveLength(2);
    });

    it('the same document from both gateways ends the same for everyone', async () => {
      const collection = newCollection();
      const writers = [await user(newUser('l'), 0), await user(newUser('m'), 1)];
      for (const writer of writers) await writer.subscribe(collection);
      await Promise.all(
        writers.flatMap((writer, side) =>
          Array.from({ length: 25 }, (_, n) =>
            writer.call('sync:change', {
              operation: 'update',
              collection,
              documentId: `d${n % 3}`,
              data: { [`f${n % 5}`]: side * 100 + n },
            }),
          ),
        ),
      );
      for (const writer of writers) await writer.mark();
      const fresh = await user(newUser('fresh'), 1);
      await fresh.subscribe(collection);
      expect(writers.map((writer) => writer.view.documents(collection))).toEqual([
        fresh.view.documents(collection),
        fresh.view.documents(collection),
      ]);
    });

    it('over HTTP at either gateway reaches a subscriber', async () => {
      const { collection, reader } = await pair();
      for (const gateway of [0, 1]) {
        const token = mintToken({ sub: newUser('rest') });
        const answer = await post(gateway, '/api/sync/change', insert(collection, `d${gateway}`), token);
        expect(answer).toMatchObject({ success: true, outcome: 'applied' });
      }
      await reader.mark();
      expect(reader.view.ids(collection)).toEqual(['d0', 'd1']);
    });
  });

  describe('reading', () => {
    it('sends what starts and stops to match, and nothing that the rules forbid, across gateways', async () => {
      const [alice, bob] = [newUser('alice'), newUser('bob')];
      const writer = await user(alice, 0);
      const [own, other] = [await user(alice, 1), await user(bob, 1)];
      await own.subscribe('notes', { filter: 'n > 5' });
      await other.subscribe('notes');
      const note = (documentId: string, data: object, operation = 'update') =>
        writer.write({ operation, collection: 'notes', documentId, data });
      await note(`${alice}-a`, { owner: alice, n: 1 }, 'insert');
      await note(`${alice}-a`, { n: 9 });
      await note(`${alice}-b`, { owner: alice, n: 8 }, 'insert');
      await note(`${alice}-b`, { n: 2 });
      await Promise.all([own.mark(), other.mark()]);
      expect(own.view.documents('notes')).toEqual([expect.objectContaining({ _id: `${alice}-a`, owner: alice, n: 9 })]);
      expect(own.deliveries('notes').map(reasonOrOperation)).toEqual(
        expect.arrayContaining(['insert', 'insert', 'left']),
      );
      expect(other.deliveries('notes')).toEqual([]);
      expect(
        await other.call('sync:change', { operation: 'delete', collection: 'notes', documentId: `${alice}-a` }),
      ).toMatchObject({ code: 'forbidden' });
    });

    it('bootstraps what was written at the other gateway just before', async () => {
      const collection = newCollection();
      const writer = await user(newUser('w'), 0);
      for (let n = 0; n < 10; n++) {
        await writer.write(insert(collection, `d${n}`));
        const reader = await user(newUser('r'), 1);
        await reader.subscribe(collection);
        await reader.mark();
        expect(reader.view.ids(collection)).toHaveLength(n + 1);
        reader.close();
      }
    });

    it('resumes by checkpoint at the other gateway, and misses nothing', async () => {
      const { collection, writer, reader } = await pair();
      for (let n = 0; n < 6; n++) await writer.write(insert(collection, `d${n}`));
      await reader.mark();
      const checkpoint = reader.view.checkpoint;
      reader.close();
      for (const n of [1, 3])
        await writer.write({ operation: 'update', collection, documentId: `d${n}`, data: { x: n } });
      await writer.write({ operation: 'delete', collection, documentId: 'd5' });
      const next = await server.connectTo(0, { token: mintToken({ sub: newUser('r') }), view: reader.view });
      await next.join({ protocol: 1, subscriptions: [{ collection, id: 's' }], checkpoint });
      await next.mark();
      expect(next.payloads('sync:bootstrap')).toEqual([]);
      expect(next.payloads('sync:reset')).toEqual([]);
      expect(next.deliveries(collection)).toHaveLength(3);
      expect(next.view.ids(collection)).toEqual(['d0', 'd1', 'd2', 'd3', 'd4']);
      await writer.write(insert(collection, 'live'));
      await next.mark();
      expect(next.view.ids(collection)).toContain('live');
    });

    it('pages by checkpoint and by time go on at the other gateway', async () => {
      const { collection, writer, reader } = await pair();
      const ids = Array.from({ length: 15 }, (_, n) => `d${n}`);
      for (const id of ids) await writer.write(insert(collection, id));
      const first = await writer.call('sync:get_changes', { collection, limit: 4 });
      const seen = [...first.changes, ...(await pages(reader, { collection, limit: 4, checkpoint: first.checkpoint }))];
      expect(new Set(seen.map(({ documentId }) => documentId))).toEqual(new Set(ids));
      const { latestTimestamp } = await writer.call('sync:get_changes', { collection, limit: 1_000 });
      await writer.write({ operation: 'delete', collection, documentId: 'd0' });
      await writer.write(insert(collection, 'later'));
      const since = await pages(reader, { collection, since: latestTimestamp });
      expect(since.map(({ documentId }) => documentId)).toEqual(expect.arrayContaining(['d0', 'later']));
    });

    it('a mark at the other gateway, asked after the ack, comes when the change has', async () => {
      const { collection, writer, reader } = await pair();
      for (let n = 0; n < 20; n++) {
        await writer.write({ operation: 'update', collection, documentId: 'd', data: { n } });
        await reader.mark();
        expect(reader.view.get(collection, 'd')).toMatchObject({ n });
      }
    });
  });

  describe('limits over the whole server', () => {
    it('a user has one rate limit, whichever gateway is asked', async () => {
      const [collection, userId] = [newCollection(), newUser('eager')];
      const sides = [await user(userId, 0), await user(userId, 1)];
      const acks = await Promise.all(
        Array.from({ length: 160 }, (_, n) => sides[n % 2]!.call('sync:change', insert(collection, `d${n}`))),
      );
      const admitted = acks.filter(({ success }) => success).length;
      const refused = acks.filter(({ success }) => !success);
      // The bucket fills while the test runs, by six a second.
      expect(admitted).toBeGreaterThanOrEqual(60);
      expect(admitted).toBeLessThan(120);
      for (const ack of refused) {
        expect(ack).toMatchObject({ code: 'rate_limited', error: expect.stringContaining('rate_limit_exceeded') });
        expect(ack.retryAfterMs).toBeGreaterThan(0);
      }
      const other = await user(newUser('calm'), 1);
      expect(await other.write(insert(collection, 'other'))).toMatchObject({ outcome: 'applied' });
    });

    it('a user has one number of connections, and a closed one makes room', async () => {
      const userId = newUser('many');
      const held = [await user(userId, 0), await user(userId, 1), await user(userId, 0)];
      const refused = await server.connectTo(1, { token: mintToken({ sub: userId }) });
      expect(await refused.call('sync:join', { protocol: 1 })).toMatchObject({ code: 'too_many_connections' });
      await refused.disconnected();
      held[1]!.close();
      const joins = async () => {
        const client = await server.connectTo(0, { token: mintToken({ sub: userId }) });
        return (await client.call('sync:join', { protocol: 1 })).success;
      };
      expect(await waitUntil(joins, { what: 'the place is free again' })).toBe(true);
    });
  });

  describe('operators', () => {
    it('end the connections of a user at every gateway, and nobody else’s', async () => {
      const userId = newUser('banned');
      const gone = [await user(userId, 0), await user(userId, 1)];
      const stays = await user(newUser('good'), 1);
      expect(await post(0, '/api/operator/disconnect', { userId }, env.OPERATOR_TOKEN)).toEqual({ success: true });
      await Promise.all(gone.map((client) => client.disconnected()));
      await stays.mark();
      expect(stays.socket.connected).toBe(true);
    });

    it('speak to every client', async () => {
      const clients = [await user(newUser('a'), 0), await user(newUser('b'), 1)];
      await post(1, '/api/operator/broadcast', { message: 'lunch at twelve' }, env.OPERATOR_TOKEN);
      for (const client of clients) expect(await client.next('sync:notice')).toEqual({ message: 'lunch at twelve' });
    });

    it('only are let in', async () => {
      const token = mintToken({ sub: 'someone' });
      expect(await post(0, '/api/operator/broadcast', { message: 'x' }, token)).toMatchObject({ code: 'forbidden' });
      expect(await post(1, '/api/operator/disconnect', { userId: 'x' }, '')).toMatchObject({ code: 'unauthenticated' });
    });

    it('see what there is in /stats, and that nothing waits', async () => {
      const { collection, writer } = await pair();
      const before = await stats(1);
      await writer.write(insert(collection, 'd'));
      const after = await stats(1);
      expect(after.syncedChanges).toBe(before.syncedChanges + 1);
      expect(after.activeConnections).toBeGreaterThan(0);
      // Whichever gateway is asked, and whichever they are at.
      const users = [newUser('here'), newUser('there')];
      for (const [gateway, name] of users.entries()) await user(name, gateway);
      for (const gateway of [0, 1]) expect((await stats(gateway)).activeUsers).toEqual(expect.arrayContaining(users));
      const quiet = async () => {
        const { pendingChanges, lanes } = await stats(0);
        return pendingChanges === 0 && lanes.every(({ waiting }) => waiting === 0);
      };
      expect(await waitUntil(quiet, { what: 'nothing waits' })).toBe(true);
    });
  });

  it('every gateway is healthy and ready', async () => {
    for (const gateway of [0, 1]) {
      const get = async (path: string) => (await fetch(`${server.urlOf(gateway)}${path}`)).json();
      expect(await get('/health')).toMatchObject({ status: 'healthy', version: expect.any(String) });
      expect(await waitUntil(async () => (await get('/ready')) as object)).toEqual({ status: 'ready' });
    }
  });

  const asUser = (name: string) => ({ token: mintToken({ sub: newUser(name) }) });

  interface Stats {
    readonly syncedChanges: number;
    readonly pendingChanges: number;
    readonly activeConnections: number;
    readonly activeUsers: readonly string[];
    readonly lanes: readonly { readonly waiting: number }[];
  }

  async function stats(gateway: number): Promise<Stats> {
    const answer = await fetch(`${server.urlOf(gateway)}/stats`, { headers: operator });
    expect(answer.status).toBe(200);
    return answer.json() as Promise<Stats>;
  }

  async function post(gateway: number, path: string, body: object, token: string): Promise<unknown> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const answer = await fetch(`${server.urlOf(gateway)}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return answer.json();
  }
});

function insert(collection: string, documentId: string) {
  return { operation: 'insert', collection, documentId, data: { a: documentId } };
}

function reasonOrOperation({ reason, operation }: DeliveredMessage): string {
  return reason ?? operation;
}

/** All pages from there on. */
async function pages(client: TestClient, from: Readonly<Record<string, unknown>>): Promise<DeliveredMessage[]> {
  const found: DeliveredMessage[] = [];
  let request = from;
  for (;;) {
    const page = await client.call('sync:get_changes', request);
    if (!page.success) throw new Error(`no page: ${page.code} ${page.error}`);
    found.push(...page.changes);
    if (!page.hasMore) return found;
    const { since: _, ...rest } = request;
    request = { ...rest, checkpoint: page.checkpoint };
  }
}
