import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/manual-clock.ts';
import { settle } from '../../test/settle.ts';
import { type Client, createClient } from '../client.ts';
import { QueryCache, queriesOf } from './query-cache.ts';
import type { QueryRequest } from './query-entry.ts';

const request: QueryRequest = {
  collection: 'tasks',
  filter: '',
  args: [],
  sort: [],
  limit: undefined,
  subscribe: true,
};

function setUp(): { client: Client; clock: ManualClock; cache: QueryCache } {
  const client = createClient({ url: '', connect: false });
  const clock = new ManualClock();
  return { client, clock, cache: new QueryCache(client, { clock, keepMs: 5_000 }) };
}

describe('QueryCache', () => {
  it('has one entry for equal requests, and others for others', async () => {
    const { client, cache } = setUp();
    const entry = cache.entry(request);
    expect(cache.entry({ ...request, args: [] })).toBe(entry);
    expect(cache.entry({ ...request, filter: 'done == false' })).not.toBe(entry);
    expect(cache.entry({ ...request, limit: 1 })).not.toBe(entry);
    expect(cache.size).toBe(3);
    await client.close();
  });

  it('lets go of a query some time after the last listener, not before', async () => {
    const { client, clock, cache } = setUp();
    const entry = cache.entry(request);
    const stop = entry.listen(() => {});
    await settle();
    expect(client.inspect().subscriptions).toHaveLength(1);
    clock.advance(120_000);
    expect(cache.size).toBe(1);
    stop();
    clock.advance(4_999);
    expect(client.inspect().subscriptions).toHaveLength(1);
    clock.advance(1);
    await settle();
    expect(cache.size).toBe(0);
    expect(client.inspect().subscriptions).toHaveLength(0);
    await client.close();
  });

  it('keeps it when somebody listens again in time', async () => {
    const { client, clock, cache } = setUp();
    const entry = cache.entry(request);
    entry.listen(() => {})();
    clock.advance(4_000);
    entry.listen(() => {});
    clock.advance(60_000);
    expect(cache.entry(request)).toBe(entry);
    await client.close();
  });

  it('lets go of what a rendering began and nobody ever showed', async () => {
    const { client, clock, cache } = setUp();
    cache.entry(request);
    await settle();
    clock.advance(60_000);
    await settle();
    expect(cache.size).toBe(0);
    expect(client.inspect().subscriptions).toHaveLength(0);
    expect(clock.timers).toBe(0);
    await client.close();
  });

  it('starts an entry again that was let go while a component was hidden', async () => {
    const { client, clock, cache } = setUp();
    const entry = cache.entry(request);
    clock.advance(60_000);
    const states: number[] = [];
    entry.listen(() => states.push(entry.snapshot().documents.length));
    await settle();
    await client.collection('tasks').insert({ _id: '1' });
    expect(states.at(-1)).toBe(1);
    expect(client.inspect().subscriptions).toHaveLength(1);
    await client.close();
  });

  it('does not subscribe any more when it was let go before the store had opened', async () => {
    const { client, clock, cache } = setUp();
    cache.entry(request);
    clock.advance(60_000);
    await settle();
    expect(client.inspect().subscriptions).toHaveLength(0);
    await client.close();
  });

  it('is the same for one client', async () => {
    const { client } = setUp();
    expect(queriesOf(client)).toBe(queriesOf(client));
    await client.close();
  });

  it('goes on as long as a suspended rendering asks again', async () => {
    const { client, clock, cache } = setUp();
    const entry = cache.entry(request);
    for (let minute = 0; minute < 3; minute++) {
      const woken = cache.entry(request).synced;
      clock.advance(60_000);
      await woken;
    }
    expect(cache.entry(request)).toBe(entry);
    expect(client.inspect().subscriptions).toHaveLength(1);
    clock.advance(60_000);
    await settle();
    expect(cache.size).toBe(0);
    expect(clock.timers).toBe(0);
    await client.close();
  });

  it('does not wait for a rendering whose documents have come', async () => {
    const { client, clock, cache } = setUp();
    const entry = cache.entry({ ...request, subscribe: false });
    await entry.opened;
    entry.listen(() => {})();
    clock.advance(5_000);
    expect(cache.size).toBe(0);
    await client.close();
  });
});
