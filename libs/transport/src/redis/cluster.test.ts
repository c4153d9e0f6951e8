import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { describeBus, describeJobQueue, describeLeases, eventually, job } from '../conformance/index.ts';
import type { JobQueue } from '../port.ts';
import { createRedisBus } from './bus.ts';
import { connectRedis, type RedisConnections } from './connections.ts';
import { inspectRedis } from './inspect.ts';
import { createRedisLeases } from './leases.ts';
import { createRedisQueue, type RedisQueue } from './queue.ts';
import { type RedisServer, startRedisServer } from './testing/index.ts';

const slots = 16_384;
let nodes: RedisServer[] = [];
let url = '';

/** Three primaries that share the slots: a key without its hash tag, or a script over two of them, fails. */
beforeAll(async () => {
  nodes = await Promise.all([0, 1, 2].map(() => startRedisServer({ args: ['--cluster-enabled', 'yes'] })));
  const clients = nodes.map((node) => new Redis({ port: node.port, protocol: 2 }));
  const ranges = clients.map((_, index) => [0, 1].map((next) => Math.floor((slots * (index + next)) / clients.length)));
  await Promise.all(
    clients.map((client, index) => {
      const [from = 0, to = 0] = ranges[index] ?? [];
      return client.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, offset) => from + offset));
    }),
  );
  for (const node of nodes) await clients[0]?.cluster('MEET', '127.0.0.1', node.port);
  for (const client of clients)
    await eventually(
      async () =>
        (await client.cluster('INFO')).includes('cluster_known_nodes:3') &&
        (await client.cluster('INFO')).includes('cluster_state:ok'),
    );
  for (const client of clients) client.disconnect();
  url = nodes.map((node) => node.url).join(',');
}, 30_000);
afterAll(() => Promise.all(nodes.map((node) => node[Symbol.asyncDispose]())));

function processes() {
  const keyPrefix = `test-${randomUUID()}`;
  const all: RedisConnections[] = [];
  return {
    connect() {
      const connections = connectRedis({ url, keyPrefix });
      all.push(connections);
      return connections;
    },
    async close() {
      await Promise.all(all.map((connections) => connections.close()));
    },
  };
}

describeJobQueue('Redis Cluster', async () => {
  const { connect, close } = processes();
  const queues = new Map<JobQueue, RedisQueue>();
  return {
    async connect(options = {}) {
      const delays = { redeliveryDelayMs: 10, maxRedeliveryDelayMs: 100, lockMs: 600 };
      const queue = createRedisQueue(connect(), { ...options, ...delays });
      queues.set(queue, queue);
      return queue;
    },
    async crash(queue) {
      await queues.get(queue)?.kill();
    },
    close,
  };
});

describeBus('Redis Cluster', async () => {
  const { connect, close } = processes();
  return { connect: async () => createRedisBus(connect()), close };
});

describeLeases('Redis Cluster', async () => {
  const { connect, close } = processes();
  return { connect: async () => createRedisLeases(connect()), pass: (ms) => sleep(ms), close };
});

describe('a cluster', () => {
  it('shares the lanes among its nodes', async () => {
    const { connect, close } = processes();
    const connections = connect();
    const queue = createRedisQueue(connections);
    for (let index = 0; index < 16; index += 1) await queue.enqueue(job(`job-${index}`, { lane: index }));
    const masters = connections.commands() as InstanceType<typeof Redis.Cluster>;
    const holding = await Promise.all(masters.nodes('master').map((node) => node.keys('*:jobs:j-job-*')));
    expect(holding.length).toBe(3);
    expect(holding.flat().length).toBe(16);
    expect(holding.every((keys) => keys.length > 0)).toBe(true);
    await queue.close();
    await close();
  });

  it('is inspected on every node', async () => {
    const { connect, close } = processes();
    const connections = connect();
    expect(await inspectRedis(connections)).toEqual([]);
    const [, second] = nodes;
    const client = new Redis({ port: second?.port ?? 0, protocol: 2 });
    await client.config('SET', 'maxmemory-policy', 'volatile-lru');
    expect((await inspectRedis(connections)).map((fault) => fault.found)).toEqual(['volatile-lru']);
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    client.disconnect();
    await close();
  });
});
