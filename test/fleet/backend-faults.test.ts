import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { TcpProxy } from '../rig/tcp-proxy.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { FaultBench } from './fault-bench.ts';

jest.setTimeout(180_000);

let bench: FaultBench;
/** The way to MongoDB, so that it can be away whoever runs it. */
let way: TcpProxy;
beforeAll(async () => {
  bench = await FaultBench.start({
    reroute: async ({ mongo }) => {
      const { hostname, port } = new URL(mongo.uri);
      way = await TcpProxy.start({ host: hostname, port: Number(port) });
      return { MONGODB_URI: way.through(mongo.uri) };
    },
  });
});
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
  await way?.[Symbol.asyncDispose]();
});

/** Long enough that everyone notices, short of what an operator would call an outage. */
const awayFor = 3_000;

/** The parts that a gateway calls not ready. */
async function failing(gateway = 0): Promise<readonly string[]> {
  const answer = await fetch(`${bench.fleet.urls[gateway]}/ready`);
  return ((await answer.json()) as { failing?: readonly string[] }).failing ?? [];
}

const isFailing = (part: string) =>
  waitUntil(async () => (await failing()).includes(part), { within: 20_000, what: `${part} is not ready` });

const order = (path: string, body: object) =>
  fetch(`${bench.fleet.urls[0]}/api/operator/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('a fleet in use survives', () => {
  it('Redis killed and started again with its append-only file', async () => {
    const { redis } = bench.backends;
    await bench.survive(async (workload) => {
      for (let round = 0; round < 2; round++) {
        await redis.kill();
        await redis.start();
        await workload.progress(20);
      }
    });
  });

  it('Redis killed and started again empty', async () => {
    const { redis } = bench.backends;
    await bench.survive(async (workload) => {
      for (let round = 0; round < 2; round++) {
        await redis.kill();
        await redis.start({ empty: true });
        await workload.progress(20);
      }
    });
  });

  it('Redis away for seconds; /ready says so, orders of operators are refused, and nobody ends', async () => {
    const { redis } = bench.backends;
    await bench.survive(async () => {
      await redis.kill();
      await isFailing('bus');
      expect(await failing()).toEqual(expect.arrayContaining(['bus', 'queue', 'redis_settings']));
      for (const path of ['broadcast', 'disconnect'])
        expect([path, (await order(path, { message: 'x', userId: 'x' })).status]).toEqual([path, 503]);
      await redis.start();
    });
    expect(bench.fleet.services.filter((service) => !service.isRunning)).toEqual([]);
  });

  it('Redis silent for seconds', async () => {
    const { redis } = bench.backends;
    await bench.survive(async () => {
      redis.pause();
      await isFailing('queue');
      await pause(awayFor);
      redis.resume();
    });
  });

  it('the store away for seconds; /ready says so', async () => {
    await bench.survive(async () => {
      way.cut();
      await isFailing('store');
      await pause(awayFor);
      way.open();
    });
  });

  it('the store silent for seconds', async () => {
    await bench.survive(async () => {
      way.silence();
      await isFailing('store');
      await pause(awayFor);
      way.open();
    });
  });

  it('the store killed in the middle of its commits', async () => {
    const { process } = bench.backends.mongo;
    await bench.survive(async (workload) => {
      for (let round = 0; round < 2; round++) {
        // A server that is not ours cannot be killed; its connections can.
        if (process === undefined) way.cut();
        await process?.kill();
        await process?.restart();
        way.open();
        await workload.progress(20);
      }
    });
  });
});
