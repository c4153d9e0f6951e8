import { describe, expect, it, jest } from '@jest/globals';
import type { TestClient } from '../rig/client.ts';
import { startServer } from '../rig/server.ts';
import { mintToken, secret } from '../rig/tokens.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

const limited = { RATE_LIMIT_DISABLED: 'false', SYNC_RATE_LIMIT_MAX: '5', SYNC_RATE_LIMIT_WINDOW_MS: '1000' };
const change = (n: number) => ({ operation: 'update', collection: 'tasks', documentId: `d${n}`, data: { n } });
const batch = (count: number) => ({ changes: Array.from({ length: count }, (_, n) => change(n)) });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function burst(client: TestClient, count: number) {
  return Promise.all(Array.from({ length: count }, (_, n) => client.call('sync:change', change(n))));
}

describe('the rate limit', () => {
  it('lets the maximum through, refuses the next with the time to wait, and keeps its word', async () => {
    await using server = await startServer({ env: limited });
    const alice = await server.user('alice');
    const acks = await burst(alice, 7);
    const refused = acks.filter((ack) => !ack.success);
    expect(acks.length - refused.length).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeGreaterThanOrEqual(1);
    for (const ack of refused) {
      expect(ack).toMatchObject({ outcome: 'rejected', code: 'rate_limited', retryAfterMs: expect.any(Number) });
      expect(ack.error).toMatch(/^rate_limit_exceeded/);
      expect(ack.retryAfterMs).toBeGreaterThan(0);
      expect(ack.retryAfterMs).toBeLessThanOrEqual(2_000);
    }
    await pause(Math.max(...refused.map((ack) => ack.retryAfterMs ?? 0)) + 50);
    expect(await alice.call('sync:change', change(99))).toMatchObject({ success: true });
  });

  it('is per user, over all their sockets', async () => {
    await using server = await startServer({ env: { ...limited, SYNC_RATE_LIMIT_WINDOW_MS: '60000' } });
    const [one, other, bob] = [await server.user('alice'), await server.user('alice'), await server.user('bob')];
    await burst(one, 6);
    expect(await other.call('sync:change', change(1))).toMatchObject({ code: 'rate_limited' });
    expect(await bob.call('sync:change', change(1))).toMatchObject({ success: true });
    const rest = await server.post('/api/sync/change?userId=alice', change(1));
    expect(rest).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  });

  it('an offline queue of any length drains when the client waits', async () => {
    await using server = await startServer({
      env: { ...limited, SYNC_RATE_LIMIT_MAX: '50', SYNC_RATE_LIMIT_WINDOW_MS: '500' },
    });
    const alice = await server.user('alice');
    let waits = 0;
    for (let sent = 0; sent < 4; ) {
      const answer = await alice.call('sync:changeBatch', batch(100));
      if (answer.success) {
        sent++;
        expect(answer.successCount).toBe(100);
        continue;
      }
      expect(answer).toMatchObject({ success: false, code: 'rate_limited', retryAfterMs: expect.any(Number) });
      waits++;
      await pause((answer.retryAfterMs ?? 0) + 5);
    }
    expect(waits).toBeGreaterThanOrEqual(2);
    expect(waits).toBeLessThanOrEqual(8);
  });

  it('a batch that is refused writes nothing', async () => {
    await using server = await startServer({ env: { ...limited, SYNC_RATE_LIMIT_WINDOW_MS: '60000' } });
    const alice = await server.user('alice');
    expect(await alice.call('sync:changeBatch', batch(20))).toMatchObject({ success: true, successCount: 20 });
    const refused = await alice.call('sync:changeBatch', {
      changes: [{ operation: 'insert', collection: 'other', documentId: 'a', data: {} }],
    });
    expect(refused).toMatchObject({ success: false, code: 'rate_limited' });
    const list = await alice.ask('sync:batch_changes', batch(1).changes);
    expect(list).toMatchObject({ success: false, code: 'rate_limited' });
    expect((await alice.call('sync:get_changes', { collection: 'other' })).changes).toEqual([]);
  });

  it('reading is not limited by it', async () => {
    await using server = await startServer({ env: { ...limited, SYNC_RATE_LIMIT_WINDOW_MS: '60000' } });
    const alice = await server.user('alice');
    await burst(alice, 6);
    for (let n = 0; n < 20; n++) expect(await alice.call('sync:get_changes', {})).toMatchObject({ success: true });
    await alice.subscribe('tasks');
  });

  it('old clients get "error" from mongoUpsert', async () => {
    await using server = await startServer({ env: { ...limited, SYNC_RATE_LIMIT_WINDOW_MS: '60000' } });
    const alice = await server.user('alice', {});
    await burst(alice, 6);
    const update = { collection: 'tasks', query: { _id: 'a' }, update: { n: 1 } };
    expect(await alice.ask('mongoUpsert', update)).toBe('error');
  });

  it('is told in the join; 50 in 10 seconds in production, off in development', async () => {
    await using production = await startServer({
      env: { NODE_ENV: 'production', AUTH_JWT_SECRET: secret },
      rules: 'collections: { tasks: { read: true, insert: true, update: true } }',
    });
    const alice = await production.connect({ token: mintToken({ sub: 'alice' }) });
    expect((await alice.join()).limits).toMatchObject({ rateLimitMax: 50, rateLimitWindowMs: 10_000 });
    const acks = await burst(alice, 60);
    expect(acks.filter((ack) => ack.code === 'rate_limited').length).toBeGreaterThanOrEqual(5);
    expect(acks.filter((ack) => ack.success).length).toBeGreaterThanOrEqual(50);
    await using development = await startServer();
    const bob = await development.user('bob');
    expect((await burst(bob, 200)).every((ack) => ack.success)).toBe(true);
  });

  it.each(['true', '1', 'yes', 'TRUE'])('RATE_LIMIT_DISABLED=%s switches it off', async (value) => {
    await using server = await startServer({
      env: { ...limited, RATE_LIMIT_DISABLED: value, SYNC_RATE_LIMIT_WINDOW_MS: '60000' },
    });
    const alice = await server.user('alice');
    expect((await burst(alice, 30)).every((ack) => ack.success)).toBe(true);
  });
});
