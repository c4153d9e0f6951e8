import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRecorder, eventually, job, lane, type Recorder } from '../conformance/index.ts';
import { connectRedis, type RedisConnections } from './connections.ts';
import { createRedisQueue, type RedisQueue } from './queue.ts';
import { type RedisServer, startRedisServer } from './testing/index.ts';

let server: RedisServer;
let connections: RedisConnections;
let queue: RedisQueue;
const children: ChildProcess[] = [];

beforeEach(async () => {
  server = await startRedisServer();
  connections = connectRedis({ url: server.url, keyPrefix: 'killed' });
  queue = createRedisQueue(connections);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await queue.close();
  await connections.close();
  await server[Symbol.asyncDispose]();
});

/** A consumer in a process of its own, with the default settings. */
async function startConsumer(mode: 'hold' | 'work'): Promise<{ child: ChildProcess; lines: Recorder<string> }> {
  const script = join(__dirname, 'testing', 'consumer-process.ts');
  const flags = ['--conditions=tidemark-source', '--import', 'tsx', script];
  const child = spawn(process.execPath, [...flags, server.url, connections.keyPrefix, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createRecorder<string>();
  createInterface({ input: child.stdout }).on('line', (line) => lines.add(line));
  await lines.reached(1, 30_000);
  return { child, lines };
}

const ids = ['job-1', 'job-2', 'job-3'];

describe('a consumer in a process of its own', () => {
  it('has its jobs delivered again within seconds when it is killed', async () => {
    const { child, lines } = await startConsumer('hold');
    for (const id of ids) await queue.enqueue(job(id));
    await lines.reached(1 + ids.length);
    const killed = performance.now();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const done = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one, { attempt }) => done.add(`${one.id} ${attempt}`));
    expect([...(await done.reached(ids.length))].sort()).toEqual(ids.map((id) => `${id} 2`));
    expect(performance.now() - killed).toBeLessThan(12_000);
    await eventually(async () => (await queue.depth()).get(lane(0)) === 0);
  }, 60_000);

  it('finds its jobs done by another when it wakes up from a long pause, and goes on', async () => {
    const { child, lines } = await startConsumer('work');
    child.kill('SIGSTOP');
    // Its blocking read takes the wake-up, but it cannot answer.
    for (const id of ids) await queue.enqueue(job(id));
    const done = createRecorder<string>();
    const consumer = await queue.consume(lane(0), { concurrency: 1 }, async (one) => done.add(one.id));
    expect([...(await done.reached(ids.length))].sort()).toEqual(ids);
    await consumer.close();
    child.kill('SIGCONT');
    await queue.enqueue(job('after the pause'));
    await eventually(() => lines.items.includes('after the pause 1'));
    await eventually(async () => (await queue.depth()).get(lane(0)) === 0);
  }, 60_000);
});
