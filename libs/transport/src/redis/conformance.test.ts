import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from '@jest/globals';
import { describeBus, describeJobQueue, describeLeases } from '../conformance/index.ts';
import type { JobQueue } from '../port.ts';
import { createRedisBus } from './bus.ts';
import { connectRedis, type RedisConnections } from './connections.ts';
import { createRedisLeases } from './leases.ts';
import { createRedisQueue, type RedisQueue } from './queue.ts';
import { type RedisServer, startRedisServer } from './testing/index.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Connections as so many processes have them, on keys of their own. */
function processes() {
  const keyPrefix = `test-${randomUUID()}`;
  const all: RedisConnections[] = [];
  return {
    connect() {
      const connections = connectRedis({ url: server.url, keyPrefix });
      all.push(connections);
      return connections;
    },
    async close() {
      await Promise.all(all.map((connections) => connections.close()));
    },
  };
}

describeJobQueue('Redis', async () => {
  const { connect, close } = processes();
  const queues = new Map<JobQueue, RedisQueue>();
  return {
    async connect(options = {}) {
      const queue = createRedisQueue(connect(), {
        ...options,
        redeliveryDelayMs: 10,
        maxRedeliveryDelayMs: 100,
        lockMs: 600,
      });
      queues.set(queue, queue);
      return queue;
    },
    async crash(queue) {
      await queues.get(queue)?.kill();
    },
    close,
  };
});

describeBus('Redis', async () => {
  const { connect, close } = processes();
  return { connect: async () => createRedisBus(connect()), close };
});

describeLeases('Redis', async () => {
  const { connect, close } = processes();
  return { connect: async () => createRedisLeases(connect()), pass: (ms) => sleep(ms), close };
});
