import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRecorder, eventually, feed, gateway, job, lane, reply } from '../conformance/index.ts';
import type { FeedMessage, WriteJob, WriteReply } from '../port.ts';
import { createRedisBus } from './bus.ts';
import { connectRedis, type RedisConnections } from './connections.ts';
import { redisKeys } from './keys.ts';
import { createRedisLeases } from './leases.ts';
import { createRedisQueue, type RedisQueue } from './queue.ts';
import { type RedisServer, startRedisServer } from './testing/index.ts';

let server: RedisServer;
let connections: RedisConnections;
let log: string[];
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  server = await startRedisServer();
  log = [];
  const write = (_: object, message: string) => void log.push(message);
  connections = connectRedis({
    url: server.url,
    keyPrefix: randomUUID(),
    commandTimeoutMs: 1_500,
    checkTimeoutMs: 300,
    log: { warn: write, error: write },
  });
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await connections.close();
  await server[Symbol.asyncDispose]();
});

function openQueue(): RedisQueue {
  const queue = createRedisQueue(connections, { redeliveryDelayMs: 10, maxRedeliveryDelayMs: 100, lockMs: 900 });
  ends.push(() => queue.close());
  return queue;
}

function openBus() {
  const bus = createRedisBus(connections);
  ends.push(() => bus.close());
  return bus;
}

/** Puts a job in as a gateway would: again and again until the queue has it. */
async function insist(queue: RedisQueue, one: WriteJob): Promise<void> {
  await eventually(() =>
    queue.enqueue(one).then(
      () => true,
      () => false,
    ),
  );
}

const timed = async (call: () => Promise<unknown>) => {
  const start = performance.now();
  const outcome = await call().then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );
  return { outcome, ms: performance.now() - start };
};

describe('the queue', () => {
  it('keeps jobs over a kill of Redis with an append-only file', async () => {
    const queue = openQueue();
    const ids = Array.from({ length: 20 }, (_, index) => `job-${index}`);
    for (const id of ids) await queue.enqueue(job(id));
    await server.kill();
    await server.start();
    const done = createRecorder<string>();
    await eventually(() =>
      queue
        .consume(lane(0), { concurrency: 2 }, async (one) => done.add(one.id))
        .then(
          () => true,
          () => false,
        ),
    );
    expect([...(await done.reached(20))].sort()).toEqual([...ids].sort());
    await eventually(async () => (await queue.depth()).get(lane(0)) === 0);
  }, 30_000);

  it.each([
    ['with its data', false],
    ['empty', true],
  ])(
    'goes on with the same consumer when Redis restarts %s',
    async (_, empty) => {
      const queue = openQueue();
      const done = createRecorder<string>();
      await queue.consume(lane(0), { concurrency: 2 }, async (one) => done.add(one.id));
      await queue.enqueue(job('before'));
      await done.reached(1);
      await server.kill();
      await server.start({ empty });
      await insist(queue, job('after'));
      expect((await done.reached(2)).at(-1)).toBe('after');
      await insist(queue, job('and on', { lane: 1 }));
      expect((await queue.depth()).get(lane(1))).toBe(1);
    },
    30_000,
  );

  it('finishes a job during which Redis restarted empty, and goes on', async () => {
    const queue = openQueue();
    const done = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one) => {
      if (one.id === 'through the outage') {
        await server.kill();
        await server.start({ empty: true });
      }
      done.add(one.id);
    });
    await queue.enqueue(job('through the outage'));
    await done.reached(1);
    await insist(queue, job('next'));
    expect((await done.reached(2)).at(-1)).toBe('next');
    await eventually(async () => (await queue.depth()).get(lane(0)) === 0);
    expect(done.items.length).toBe(2);
  }, 30_000);

  it('is unavailable at once while Redis is away, and back with it', async () => {
    const queue = openQueue();
    await queue.enqueue(job('first'));
    await server.kill();
    const enqueued = await timed(() => queue.enqueue(job('second')));
    expect(enqueued.outcome).toBe('unavailable');
    expect(enqueued.ms).toBeLessThan(2_500);
    const checked = await timed(() => queue.check());
    expect(checked.outcome).toBe('unavailable');
    expect(checked.ms).toBeLessThan(800);
    await expect(queue.consume(lane(0), { concurrency: 1 }, async () => {})).rejects.toMatchObject({
      code: 'unavailable',
    });
    await server.start();
    await eventually(async () => (await timed(() => queue.check())).outcome === 'done', 5_000);
  }, 30_000);

  it('does not hang on a Redis that does not answer', async () => {
    const queue = openQueue();
    await queue.enqueue(job('first'));
    server.pause();
    try {
      const checked = await timed(() => queue.check());
      expect(checked).toMatchObject({ outcome: 'unavailable' });
      expect(checked.ms).toBeLessThan(800);
      const enqueued = await timed(() => queue.enqueue(job('second')));
      expect(enqueued).toMatchObject({ outcome: 'unavailable' });
      expect(enqueued.ms).toBeLessThan(2_500);
    } finally {
      server.resume();
    }
    await insist(queue, job('second'));
  }, 30_000);

  it('closes while Redis is away', async () => {
    const queue = createRedisQueue(connections, { lockMs: 900 });
    const started = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one) => {
      await server.kill();
      started.add(one.id);
    });
    await queue.enqueue(job('last'));
    await started.reached(1);
    const closed = await timed(() => queue.close());
    expect(closed.outcome).toBe('done');
    expect(closed.ms).toBeLessThan(8_000);
  }, 30_000);

  it('is overloaded when the memory of Redis is full', async () => {
    const queue = openQueue();
    await queue.enqueue(job('fits'));
    await connections.commands().config('SET', 'maxmemory', '1');
    await expect(queue.enqueue(job('does not'))).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: expect.any(Number),
    });
    await connections.commands().config('SET', 'maxmemory', '0');
    await queue.enqueue(job('does again'));
  });

  it('does not add a job that it holds already', async () => {
    const queue = openQueue();
    for (const id of ['a:b', 'a%3Ab', '17', 'a:b', '17']) await queue.enqueue(job(id));
    expect((await queue.depth()).get(lane(0))).toBe(3);
    const done = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one) => done.add(one.id));
    expect(await done.reached(3)).toEqual(['a:b', 'a%3Ab', '17']);
  });

  it('steps over a job whose body is gone', async () => {
    const queue = openQueue();
    await queue.enqueue(job('evicted'));
    const client = connections.commands();
    const [body] = await client.keys('*:jobs:j-evicted');
    await client.del(body ?? '');
    await queue.enqueue(job('whole'));
    const done = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one) => done.add(one.id));
    expect(await done.reached(1)).toEqual(['whole']);
    await eventually(async () => (await queue.depth()).get(lane(0)) === 0);
  });

  it('leaves nothing of a job behind', async () => {
    const queue = openQueue();
    const done = createRecorder<string>();
    const consumer = await queue.consume(lane(0), { concurrency: 4 }, async (one, { attempt }) => {
      if (attempt === 1) throw new Error('once');
      done.add(one.id);
    });
    for (let number = 0; number < 30; number += 1) await queue.enqueue(job(`job-${number}`));
    await done.reached(30);
    await consumer.close();
    const keys = await connections.commands().keys('*');
    expect(keys.filter((key) => key.includes('j-job'))).toEqual([]);
    expect(keys.length).toBeLessThan(10);
  });
});

describe('the bus', () => {
  it.each([
    ['with its data', false],
    ['empty', true],
  ])(
    'subscribes again when Redis restarts %s',
    async (_, empty) => {
      const bus = openBus();
      const entries = createRecorder<FeedMessage>();
      const replies = createRecorder<WriteReply>();
      await bus.subscribeFeed((message) => entries.add(message));
      await bus.subscribeReplies(gateway('g'), (message) => replies.add(message));
      await server.kill();
      const away = await timed(() => bus.check());
      expect(away.outcome).toBe('unavailable');
      expect(away.ms).toBeLessThan(800);
      await expect(bus.publishFeed(feed(1))).rejects.toMatchObject({ code: 'unavailable' });
      await server.start({ empty });
      await eventually(async () => (await timed(() => bus.check())).outcome === 'done', 5_000);
      await eventually(async () => {
        await bus.publishFeed(feed(2));
        await bus.publishReply(gateway('g'), reply('job'));
        return entries.items.length > 0 && replies.items.length > 0;
      }, 5_000);
      expect(log.filter((message) => message === 'Redis is away').length).toBe(2);
      expect(log.filter((message) => message === 'Redis is back').length).toBe(2);
    },
    30_000,
  );

  it('drops what is not a message and goes on', async () => {
    const bus = openBus();
    const entries = createRecorder<FeedMessage>();
    await bus.subscribeFeed((message) => entries.add(message));
    const channel = redisKeys(connections.keyPrefix).feed;
    await bus.check();
    for (const text of ['not json', '17', 'null']) await connections.commands().publish(channel, text);
    await bus.publishFeed(feed(1));
    expect(await entries.reached(1)).toEqual([feed(1)]);
  });

  it('does not subscribe to a Redis that is not there', async () => {
    const nowhere = connectRedis({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 200 });
    const bus = createRedisBus(nowhere);
    await expect(bus.subscribeFeed(() => {})).rejects.toMatchObject({ code: 'unavailable' });
    await bus.close();
    await nowhere.close();
  });
});

describe('leases', () => {
  it('never grow a token backwards, though Redis has lost everything', async () => {
    const leases = createRedisLeases(connections);
    const before = await leases.acquire('lane', 'left', 60_000);
    await server.kill();
    await server.start({ empty: true });
    // Another process: it has not seen the token, only Redis' clock tells.
    const other = connectRedis({ url: server.url, keyPrefix: connections.keyPrefix });
    const after = await createRedisLeases(other).acquire('lane', 'right', 60_000);
    expect(after?.token).toBeGreaterThan(before?.token ?? Number.POSITIVE_INFINITY);
    await eventually(() =>
      before!.renew().then(
        (held) => !held,
        () => false,
      ),
    );
    expect(await after?.renew()).toBe(true);
    await other.close();
  }, 20_000);

  it('hold a token against a clock that was set back, by what the process has seen', async () => {
    const leases = createRedisLeases(connections);
    const first = await leases.acquire('lane', 'left', 60_000);
    await first?.release();
    const client = connections.commands();
    const [key = ''] = await client.keys('*:token');
    const ahead = Date.now() + 3_600_000;
    await client.set(key, `${ahead}`);
    const second = await leases.acquire('lane', 'left', 60_000);
    expect(second?.token).toBe(ahead + 1);
    await client.flushall();
    const third = await leases.acquire('lane', 'left', 60_000);
    expect(third?.token).toBe(ahead + 2);
  });

  it('outlive a restart with the append-only file', async () => {
    const leases = createRedisLeases(connections);
    const lease = await leases.acquire('lane', 'left', 60_000);
    await server.kill();
    await server.start();
    await eventually(() =>
      lease!.renew().then(
        (held) => held,
        () => false,
      ),
    );
    expect(await leases.acquire('lane', 'right', 60_000)).toBeUndefined();
  }, 20_000);

  it('are unavailable while Redis is away, and lost as soon as they cannot be held any more', async () => {
    const leases = createRedisLeases(connections);
    const lease = await leases.acquire('lane', 'left', 2_000);
    await server.kill();
    await expect(leases.acquire('other', 'left', 2_000)).rejects.toMatchObject({ code: 'unavailable' });
    await eventually(() =>
      lease!.renew().then(
        (held) => !held,
        () => false,
      ),
    );
    expect(await lease?.renew()).toBe(false);
  }, 20_000);
});
