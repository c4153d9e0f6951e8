import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { RateLimiter } from '@tidemark/access';
import { createRedisConnectionCounter, createRedisRateLimiter } from '@tidemark/access/redis';
import { brandAs, type UserId } from '@tidemark/protocol';
import { connectRedis, type RedisConnections } from '@tidemark/transport/redis';
import { type RedisServer, startRedisServer } from '@tidemark/transport/redis/testing';
import { newName } from '../rig/backends.ts';
import { waitUntil } from '../rig/wait-until.ts';

jest.setTimeout(60_000);

let server: RedisServer;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.[Symbol.asyncDispose]());
afterEach(async () => {
  server.resume();
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** As one gateway of a fleet has it. */
async function connect(): Promise<RedisConnections> {
  const redis = connectRedis({ url: server.url, commandTimeoutMs: 500 });
  opened.push(redis);
  const isUp = () =>
    redis
      .commands()
      .ping()
      .then(
        () => true,
        () => false,
      );
  await waitUntil(isUp, { what: 'Redis answers' });
  return redis;
}

const user = (name: string) => brandAs<UserId>(name);

describe('the rate limit of a fleet', () => {
  async function limiters(options: { max: number; windowMs: number }, onError?: (error: unknown) => void) {
    const keyPrefix = newName();
    const make = async (): Promise<RateLimiter> =>
      createRedisRateLimiter({
        client: (await connect()).commands(),
        keyPrefix,
        ...options,
        ...(onError && { onError }),
      });
    return [await make(), await make(), keyPrefix] as const;
  }

  const admitted = async (limiter: RateLimiter, count = 1, name = 'u') =>
    (await limiter.admit(user(name), count)).admitted;

  async function waitOf(limiter: RateLimiter, name = 'u'): Promise<number> {
    const answer = await limiter.admit(user(name), 1);
    return answer.admitted ? 0 : answer.retryAfterMs;
  }

  it('is one bucket for all gateways', async () => {
    const [a, b] = await limiters({ max: 10, windowMs: 600_000 });
    for (let n = 0; n < 5; n++) expect([await admitted(a), await admitted(b)]).toEqual([true, true]);
    expect([await admitted(a), await admitted(b)]).toEqual([false, false]);
  });

  it('holds for requests that come at once', async () => {
    const [a, b] = await limiters({ max: 10, windowMs: 600_000 });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => admitted(n % 2 ? a : b)));
    expect(answers.filter(Boolean)).toHaveLength(10);
  });

  it('is each user’s own', async () => {
    const [a, b] = await limiters({ max: 1, windowMs: 600_000 });
    expect(await admitted(a, 1, 'one')).toBe(true);
    expect(await admitted(b, 1, 'one')).toBe(false);
    expect(await admitted(b, 1, 'two')).toBe(true);
  });

  it('lets a batch go into debt once, and tells how long the debt lasts', async () => {
    const [a, b] = await limiters({ max: 10, windowMs: 10_000 });
    expect(await admitted(a, 35)).toBe(true);
    const wait = await waitOf(b);
    // 25 in debt and one more, a second each, less what the test took.
    expect(wait).toBeLessThanOrEqual(26_000);
    expect(wait).toBeGreaterThan(10_000);
    expect(await admitted(a, 35)).toBe(false);
  });

  it('takes nothing for what it refuses', async () => {
    const [a, b] = await limiters({ max: 2, windowMs: 600_000 });
    expect(await admitted(a, 2)).toBe(true);
    const first = await waitOf(a);
    for (let n = 0; n < 20; n++) expect(await admitted(b, 50)).toBe(false);
    expect(await waitOf(a)).toBeLessThanOrEqual(first);
  });

  it('admits who has waited as told, in windows shorter than a second too', async () => {
    const [a, b, keyPrefix] = await limiters({ max: 2, windowMs: 300 });
    for (let round = 0; round < 3; round++) {
      expect(await admitted(a, 3)).toBe(true);
      const wait = await waitOf(b);
      if (wait > 0) await pause(wait + 1);
    }
    const client = (await connect()).commands();
    // A key that stayed would lock its user out for ever.
    const left = () => client.keys(`${keyPrefix}:rate:*`);
    await waitUntil(async () => (await left()).length === 0, { what: 'no key is left' });
  });

  it('counts locally while Redis is away or silent, says so, and together again afterwards', async () => {
    const errors: unknown[] = [];
    const [a, b] = await limiters({ max: 4, windowMs: 600_000 }, (error) => errors.push(error));
    expect(await admitted(a)).toBe(true);
    await server.kill();
    const away = await Promise.all(Array.from({ length: 6 }, () => admitted(a)));
    expect(away.filter(Boolean)).toHaveLength(4);
    expect(errors.length).toBeGreaterThanOrEqual(6);
    await server.start({ empty: true });
    await waitUntil(
      async () => {
        const before = errors.length;
        await admitted(b, 1, 'probe');
        await admitted(a, 1, 'probe');
        return errors.length === before;
      },
      { what: 'both are back' },
    );
    server.pause();
    expect(await admitted(b, 1, 'silent')).toBe(true);
    server.resume();
    expect(errors.length).toBeGreaterThan(6);
    // An empty Redis has full buckets, and they are shared.
    const after = [await admitted(a, 1, 'new'), await admitted(b, 3, 'new'), await admitted(a, 1, 'new')];
    expect(after).toEqual([true, true, false]);
  });
});

describe('the connections of a fleet', () => {
  const ttlMs = 1_200;

  async function gateway(
    keyPrefix: string,
    { name, max = 3, onError }: { name: string; max?: number; onError?: () => void },
  ) {
    const redis = await connect();
    const counter = createRedisConnectionCounter({
      client: redis.commands(),
      keyPrefix,
      kind: 'user',
      gateway: name,
      max,
      ttlMs,
      ...(onError && { onError }),
    });
    opened.push(counter);
    return { counter, redis };
  }

  async function pair(max?: number) {
    const keyPrefix = newName();
    const options = max === undefined ? {} : { max };
    const [a, b] = [
      await gateway(keyPrefix, { name: 'a', ...options }),
      await gateway(keyPrefix, { name: 'b', ...options }),
    ];
    return { keyPrefix, a, b };
  }

  const held = async (counter: { acquire(key: string): unknown }, key = 'u') =>
    (await counter.acquire(key)) !== undefined;

  it('are counted together, by key', async () => {
    const { a, b } = await pair();
    expect([await held(a.counter), await held(b.counter), await held(a.counter)]).toEqual([true, true, true]);
    expect([await held(a.counter), await held(b.counter)]).toEqual([false, false]);
    expect(await held(b.counter, 'other')).toBe(true);
  });

  it('are never too many when all come at once', async () => {
    const { a, b } = await pair();
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => held(n % 2 ? a.counter : b.counter)));
    expect(answers.filter(Boolean)).toHaveLength(3);
  });

  it('give their place back, once', async () => {
    const { a, b } = await pair(1);
    const release = await a.counter.acquire('u');
    expect(await held(b.counter)).toBe(false);
    release!();
    release!();
    await waitUntil(() => held(b.counter), { what: 'the place is free' });
    expect(await held(a.counter)).toBe(false);
  });

  it('last as long as their gateway lives, over many times to live', async () => {
    const { a, b } = await pair(1);
    expect(await held(a.counter)).toBe(true);
    const end = performance.now() + 2.5 * ttlMs;
    const refused = waitUntil(async () => {
      expect(await held(b.counter)).toBe(false);
      return performance.now() > end;
    });
    expect(await refused).toBe(true);
  });

  it('last whatever the clock of their gateway says', async () => {
    const clock = jest.spyOn(Date, 'now').mockReturnValue(0);
    try {
      const { a, b } = await pair(1);
      expect(await held(a.counter)).toBe(true);
      const end = performance.now() + 1.5 * ttlMs;
      while (performance.now() < end) {
        expect(await held(b.counter)).toBe(false);
        await pause(20);
      }
    } finally {
      clock.mockRestore();
    }
  });

  it('that Redis has forgotten leave nothing behind when they end', async () => {
    const { a, keyPrefix } = await pair(1);
    const release = await a.counter.acquire('u');
    const client = a.redis.commands();
    const hash = `{${keyPrefix}}:connections:user:a`;
    await client.del(hash);
    release!();
    expect(await client.exists(hash)).toBe(0);
  });

  it('of a gateway that died run out', async () => {
    const { a, b } = await pair(1);
    expect(await held(a.counter)).toBe(true);
    // Cut off from Redis it neither renews nor takes back, as a killed process.
    await a.redis.close();
    expect(await held(b.counter)).toBe(false);
    await waitUntil(() => held(b.counter), { what: 'the dead gateway counts no more' });
  });

  it('of a gateway that ends are gone at once', async () => {
    const { a, b } = await pair(1);
    expect(await held(a.counter)).toBe(true);
    await a.counter.close();
    expect(await held(b.counter)).toBe(true);
  });

  it('heal when Redis comes back empty', async () => {
    const { a, b } = await pair(2);
    expect([await held(a.counter), await held(a.counter)]).toEqual([true, true]);
    await server.kill();
    await server.start({ empty: true });
    const key = async () => (await connect()).commands().keys('*:connections:user:a');
    await waitUntil(async () => (await key()).length > 0, { what: 'the counts are written again' });
    expect(await held(b.counter)).toBe(false);
  });

  it('are counted by each gateway alone while Redis is away', async () => {
    let errors = 0;
    const { counter } = await gateway(newName(), { name: 'alone', max: 2, onError: () => errors++ });
    await server.kill();
    expect([await held(counter), await held(counter), await held(counter)]).toEqual([true, true, false]);
    expect(errors).toBeGreaterThanOrEqual(2);
    await server.start();
  });
});
