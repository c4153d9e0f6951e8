import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { silentTelemetry } from '@tidemark/telemetry';
import { connectRedis } from '@tidemark/transport/redis';
import { type RedisServer, startRedisServer } from '@tidemark/transport/redis/testing';
import { createBullMqScheduler } from './bullmq-scheduler.ts';
import type { Scheduled } from './scheduler.ts';
import { until } from './testing/desk.ts';

jest.setTimeout(60_000);

const { logger } = silentTelemetry();
const intervalMs = 200;
let server: RedisServer;
let named = 0;
const ending: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.[Symbol.asyncDispose]());
afterEach(async () => {
  server.resume();
  for (const end of ending.splice(0).reverse()) await end();
});

/** One janitor's share of the task `t`; all of one prefix are a fleet. */
class Worker {
  runs = 0;
  atWork = 0;
  readonly stop: () => Promise<void>;

  private constructor(stop: () => Promise<void>) {
    this.stop = stop;
  }

  static async start(keyPrefix: string, run: () => Promise<void> = async () => undefined): Promise<Worker> {
    const redis = connectRedis({ url: server.url, keyPrefix, commandTimeoutMs: 500 });
    let scheduled: Scheduled | undefined;
    const worker = new Worker(async () => scheduled?.stop());
    const task = {
      name: 't',
      intervalMs,
      run: async () => {
        worker.atWork++;
        await run().finally(() => worker.atWork--);
        worker.runs++;
      },
    };
    ending.push(() => redis.close());
    scheduled = await createBullMqScheduler({ redis, logger, renewalMs: 500 }).schedule(task);
    ending.push(worker.stop);
    return worker;
  }
}

const newPrefix = () => `janitors${++named}`;

describe('periodic tasks of a fleet', () => {
  it('run again and again', async () => {
    const worker = await Worker.start(newPrefix());
    await until(() => worker.runs >= 3);
  });

  it('run in one of two janitors per tick, never in both at once', async () => {
    const prefix = newPrefix();
    let most = 0;
    const workers: Worker[] = [];
    const run = async () => {
      most = Math.max(
        most,
        workers.reduce((sum, { atWork }) => sum + atWork, 0),
      );
      await new Promise((resolve) => setImmediate(resolve));
    };
    const begun = performance.now();
    workers.push(await Worker.start(prefix, run), await Worker.start(prefix, run));
    const total = () => workers.reduce((sum, { runs }) => sum + runs, 0);
    await until(() => total() >= 8);
    // Two schedules would be twice as quick.
    expect(total()).toBeLessThanOrEqual((performance.now() - begun) / intervalMs + 2);
    expect(most).toBe(1);
  });

  it('go on in the other janitor when one ends', async () => {
    const prefix = newPrefix();
    const [first, second] = [await Worker.start(prefix), await Worker.start(prefix)];
    await until(() => first.runs + second.runs >= 2);
    await first.stop();
    const [before, stopped] = [second.runs, first.runs];
    await until(() => second.runs >= before + 3);
    expect(first.runs).toBe(stopped);
  });

  it('run again after a run that failed', async () => {
    let failures = 0;
    await Worker.start(newPrefix(), async () => {
      failures++;
      throw new Error('no');
    });
    await until(() => failures >= 3);
  });

  it('go on when Redis was restarted, and when it comes back empty', async () => {
    const worker = await Worker.start(newPrefix());
    await until(() => worker.runs >= 1);
    for (const empty of [false, true]) {
      await server.kill();
      await server.start({ empty });
      const before = worker.runs;
      await until(() => worker.runs >= before + 3);
    }
  });

  it('begin when Redis comes up after the janitor', async () => {
    await server.kill();
    const worker = await Worker.start(newPrefix());
    expect(worker.runs).toBe(0);
    await server.start();
    await until(() => worker.runs >= 2);
  });

  it('end while Redis is away or silent, and in the middle of a run only after it', async () => {
    const first = await Worker.start(newPrefix());
    await until(() => first.runs >= 1);
    await server.kill();
    await first.stop();
    await server.start();
    let finish: () => void = () => undefined;
    const second = await Worker.start(newPrefix(), () => new Promise<void>((resolve) => (finish = resolve)));
    await until(() => second.atWork === 1);
    let ended = false;
    const stopping = second.stop().then(() => (ended = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended).toBe(false);
    server.pause();
    finish();
    await stopping;
    expect(second.runs).toBe(1);
  });
});
