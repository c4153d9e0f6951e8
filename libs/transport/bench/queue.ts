/**
 * What the transport itself costs: gateways that keep jobs in flight, a writer that answers at once, replies over the bus.
 * `npx tsx --conditions=tidemark-source libs/transport/bench/queue.ts [seconds]` prints JSON.
 */
import { brandAs, type JobId } from '@tidemark/protocol';
import { gateway, job, lane } from '../src/conformance/samples.ts';
import { createInProcessBus, createInProcessQueue } from '../src/inprocess/index.ts';
import type { Bus, JobQueue, WriteJob } from '../src/port.ts';
import { connectRedis, createRedisBus, createRedisQueue } from '../src/redis/index.ts';
import { startRedisServer } from '../src/redis/testing/index.ts';

interface Rig {
  readonly queue: JobQueue;
  readonly bus: Bus;
  close(): Promise<void>;
}

interface Result {
  readonly transport: string;
  readonly changesPerJob: number;
  readonly inFlight: number;
  readonly jobsPerSecond: number;
  readonly changesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Load {
  readonly changes: number;
  readonly inFlight: number;
  readonly seconds: number;
}

const lanes = 8;

async function inProcess(): Promise<Rig> {
  const [queue, bus] = [createInProcessQueue(), createInProcessBus()];
  return { queue, bus, close: async () => void (await Promise.all([queue.close(), bus.close()])) };
}

async function overRedis(): Promise<Rig> {
  const server = await startRedisServer({ args: ['--appendfsync', 'everysec'] });
  const connections = connectRedis({ url: server.url });
  const [queue, bus] = [createRedisQueue(connections), createRedisBus(connections)];
  const close = async () => {
    await Promise.all([queue.close(), bus.close()]);
    await connections.close();
    await server[Symbol.asyncDispose]();
  };
  return { queue, bus, close };
}

async function measure(name: string, open: () => Promise<Rig>, load: Load): Promise<Result> {
  const rig = await open();
  const answered = new Map<JobId, () => void>();
  for (let index = 0; index < lanes; index += 1) {
    await rig.queue.consume(lane(index), { concurrency: 32 }, (one) => answer(rig.bus, one));
  }
  await rig.bus.subscribeReplies(gateway('gateway-1'), (message) => answered.get(message.job)?.());
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + load.seconds * 1_000;
  const sender = async (index: number) => {
    for (let count = 0; performance.now() < end; count += 1) {
      const sent = performance.now();
      await roundTrip(rig.queue, answered, job(`s${index}-${count}`, { lane: index % lanes, changes: load.changes }));
      latencies.push(performance.now() - sent);
      // The in-process way is made of microtasks only: without a turn of the event loop nobody else would run.
      if (count % 64 === 0) await new Promise(setImmediate);
    }
  };
  await Promise.all(Array.from({ length: load.inFlight }, (_, index) => sender(index)));
  const seconds = (performance.now() - start) / 1_000;
  await rig.close();
  return summary(name, load, { latencies, seconds });
}

function answer(bus: Bus, one: WriteJob): Promise<void> {
  const outcomes = one.requests.map(({ changes }) =>
    changes.map(
      ({ id }) => ({ kind: 'applied', changeId: id, timestamp: 1, lane: one.lane, seq: brandAs(1) }) as const,
    ),
  );
  return bus.publishReply(one.gateway, { job: one.id, outcomes });
}

async function roundTrip(queue: JobQueue, answered: Map<JobId, () => void>, one: WriteJob): Promise<void> {
  const reply = new Promise<void>((resolve) => answered.set(one.id, resolve));
  await queue.enqueue(one);
  await reply;
  answered.delete(one.id);
}

function summary(transport: string, load: Load, run: { latencies: number[]; seconds: number }): Result {
  const sorted = run.latencies.sort((a, b) => a - b);
  const at = (part: number) => Number((sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(3));
  const jobsPerSecond = Math.round(sorted.length / run.seconds);
  return {
    transport,
    changesPerJob: load.changes,
    inFlight: load.inFlight,
    jobsPerSecond,
    changesPerSecond: jobsPerSecond * load.changes,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

const seconds = Number(process.argv[2] ?? 3);
const results: Result[] = [];
for (const [name, open] of [
  ['inprocess', inProcess],
  ['redis', overRedis],
] as const) {
  for (const changes of [1, 50]) {
    for (const inFlight of [1, 16, 200]) results.push(await measure(name, open, { changes, inFlight, seconds }));
  }
}
process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
