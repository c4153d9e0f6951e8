import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createGate, createRecorder, eventually, job, lane } from '../conformance/index.ts';
import { connectRedis, type RedisConnections } from './connections.ts';
import { redisKeys } from './keys.ts';
import { queueName } from './lane-jobs.ts';
import { createRedisQueue, type RedisQueue } from './queue.ts';
import { type RedisServer, startRedisServer } from './testing/index.ts';

/** Longer than a test, so that only jobs make the worker ask. */
const lockMs = 60_000;
/** BullMQ asks by itself after 5 s; what is found before that, was not overlooked. */
const overlookedMs = 4_000;

let server: RedisServer;
let connections: RedisConnections;
let queue: RedisQueue;

beforeEach(async () => {
  server = await startRedisServer();
  connections = connectRedis({ url: server.url });
  queue = createRedisQueue(connections, { lockMs });
});
afterEach(async () => {
  await queue.close();
  await connections.close();
  await server[Symbol.asyncDispose]();
});

async function scriptsRun(): Promise<number> {
  const info = await connections.commands().info('commandstats');
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(info)?.[1] ?? 0);
}

/** A key of BullMQ's: `active` lists the jobs at work, `marker` is there until a worker that waits has seen it. */
async function isGone(key: 'active' | 'marker'): Promise<boolean> {
  const prefix = redisKeys(connections.keyPrefix).lanePrefix(lane(0));
  return (await connections.commands().exists(`${prefix}:${queueName}:${key}`)) === 0;
}

describe('the worker of a lane', () => {
  it('asks once for a job that comes alone, and once more when it is done', async () => {
    const done = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 8 }, async ({ id }) => {
      // As a commit does, it takes longer than an answer of Redis.
      await sleep(20);
      done.add(id);
    });
    await queue.enqueue(job('first'));
    await done.reached(1);
    await eventually(() => isGone('active'));
    const before = await scriptsRun();
    const count = 20;
    for (let n = 0; n < count; n += 1) {
      await queue.enqueue(job(`job-${n}`));
      await done.reached(n + 2);
      await eventually(() => isGone('active'));
    }
    // One to add it, two for the worker; a slow machine may make it ask again.
    expect((await scriptsRun()) - before).toBeLessThanOrEqual(3 * count + 5);
  });

  it('takes what comes while another job is at work', async () => {
    const gate = createGate();
    const taken = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 8 }, async ({ id }) => {
      taken.add(id);
      if (id !== 'first') await gate.opened;
    });
    const ids = ['first', 'a', 'b', 'c'];
    for (const [index, id] of ids.entries()) {
      await queue.enqueue(job(id));
      await taken.reached(index + 1, overlookedMs);
      if (id === 'first') await eventually(() => isGone('active'));
      await eventually(() => isGone('marker'));
    }
    gate.open();
    expect(await taken.reached(ids.length)).toEqual(ids);
  });

  it('takes all that waits when it begins', async () => {
    for (const id of ['a', 'b', 'c']) await queue.enqueue(job(id));
    const gate = createGate();
    const taken = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 8 }, async ({ id }) => {
      taken.add(id);
      await gate.opened;
    });
    expect(await taken.reached(3)).toEqual(['a', 'b', 'c']);
    gate.open();
  });

  it('does not forget a job that is delivered again when another comes meanwhile', async () => {
    const taken = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 8 }, async ({ id }, { attempt }) => {
      taken.add(`${id} ${attempt}`);
      if (id === 'fails' && attempt === 1) throw new Error('again');
      await sleep(5);
    });
    await queue.enqueue(job('fails'));
    await taken.reached(1);
    await eventually(() => isGone('active'));
    await eventually(() => isGone('marker'));
    await queue.enqueue(job('other'));
    expect(await taken.reached(3, overlookedMs)).toEqual(['fails 1', 'other 1', 'fails 2']);
  });

  it('overlooks no job, whenever it comes', async () => {
    const waits: number[] = [];
    const sent = new Map<string, number>();
    const consume = (concurrency: number) =>
      queue.consume(lane(0), { concurrency }, async ({ id }, { attempt }) => {
        if (attempt === 1) waits.push(performance.now() - (sent.get(id) ?? Number.NaN));
        await sleep(Math.random() * 10);
        if (attempt === 1 && Math.random() < 0.1) throw new Error('again');
      });
    // Two for a while, as when a lane is handed over.
    const [first] = [await consume(8), await consume(2)];
    const perProducer = 100;
    const produce = async (name: string) => {
      for (let n = 0; n < perProducer; n += 1) {
        const id = `${name}-${n}`;
        sent.set(id, performance.now());
        await queue.enqueue(job(id));
        if (n === perProducer / 2 && name === 'a') await first.close();
        await sleep(Math.random() * 25);
      }
    };
    await Promise.all(['a', 'b', 'c'].map(produce));
    const allSent = performance.now();
    await eventually(async () => (await queue.depth()).get(lane(0)) === 0);
    expect(performance.now() - allSent).toBeLessThan(overlookedMs);
    expect(waits).toHaveLength(3 * perProducer);
    expect(Math.max(...waits)).toBeLessThan(overlookedMs);
  }, 30_000);
});
