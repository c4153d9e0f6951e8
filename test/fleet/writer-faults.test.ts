import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, it, jest } from '@jest/globals';
import { createRules } from '@tidemark/access';
import type { Store } from '@tidemark/storage';
import { openMongoStore } from '@tidemark/storage/mongo';
import { silentTelemetry } from '@tidemark/telemetry';
import type { Bus, JobQueue, Leases } from '@tidemark/transport';
import { createFaultyQueue } from '@tidemark/transport/faults';
import { connectRedis, createRedisBus, createRedisLeases, createRedisQueue } from '@tidemark/transport/redis';
import { createWriter } from '@tidemark/writer';
import { waitUntil } from '../rig/wait-until.ts';
import { FaultBench } from './fault-bench.ts';

jest.setTimeout(180_000);

let bench: FaultBench;
beforeAll(async () => {
  bench = await FaultBench.start({ fleet: { writers: 1 } });
});
afterAll(() => bench?.[Symbol.asyncDispose]());

interface Parts {
  readonly store: Store;
  readonly queue: JobQueue;
  readonly bus: Bus;
  readonly leases: Leases;
}

/** A writer of the fleet in this process, so that something can be put between its parts. */
async function addWriter(wrap: (parts: Parts, die: () => void) => Partial<Parts>) {
  const {
    MONGODB_URI: uri = '',
    MONGODB_DATABASE: database = '',
    REDIS_URL: url = '',
    REDIS_KEY_PREFIX = '',
  } = bench.env;
  const redis = connectRedis({ url, keyPrefix: REDIS_KEY_PREFIX });
  const store = await openMongoStore({ uri, database, lanes: 8, poolSize: 5, socketTimeoutMs: 30_000 });
  const queue = createRedisQueue(redis);
  let dead = false;
  const die = () => {
    dead = true;
    // Without a word to anyone: locks and leases run out by themselves.
    void queue.kill();
    void redis.close();
  };
  const parts: Parts = { store, queue, bus: createRedisBus(redis), leases: createRedisLeases(redis) };
  const settings = {
    holder: randomUUID(),
    maxClockSkewMs: 60_000,
    optimisticLocking: false,
    leaseTtlMs: 2_000,
    heartbeatMs: 1_000,
  };
  const rules = createRules(undefined, { production: false });
  const writer = createWriter({ ...parts, ...wrap(parts, die), rules, telemetry: silentTelemetry(), settings });
  void writer.run();
  return {
    writer,
    isDead: () => dead,
    async [Symbol.asyncDispose]() {
      const stopped = writer.stop();
      // A dead one waits for ever for what it was doing; its timers are gone at once.
      if (!dead) await stopped.then(() => queue.close());
      await redis.close();
      await store.close();
    },
  };
}

const never = new Promise<never>(() => undefined);

/** Puts the moment of death between the parts. */
type Death = (parts: Parts, die: () => void) => Partial<Parts>;

/** True, and dead, at the call of that number and ever after. */
function countedDeath(after: number, die: () => void): () => boolean {
  let left = after;
  return () => {
    if (--left > 0) return false;
    die();
    return true;
  };
}

const deaths: Readonly<Record<string, Death>> = {
  'before the commit': ({ store }, die) => {
    const isOver = countedDeath(10, die);
    return {
      store: overriding(store, {
        transact: (request, decide) => (isOver() ? never : store.transact(request, decide)),
      }),
    };
  },
  'between the commit and the news of it': ({ store }, die) => {
    const isOver = countedDeath(10, die);
    return {
      store: overriding(store, {
        transact: async (request, decide) => {
          const result = await store.transact(request, decide);
          return isOver() ? never : result;
        },
      }),
    };
  },
  'between the feed and the replies': ({ bus }, die) => {
    const isOver = countedDeath(5, die);
    return {
      bus: overriding(bus, {
        publishReply: (gateway, reply) => (isOver() ? never : bus.publishReply(gateway, reply)),
      }),
    };
  },
};

/** The port with some of its calls replaced; the others keep their `this`. */
function overriding<T extends object>(port: T, calls: Partial<T>): T {
  return new Proxy(port, {
    get(target, name) {
      if (Object.hasOwn(calls, name)) return Reflect.get(calls, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a fleet in use survives', () => {
  it.each(Object.keys(deaths))('a writer that dies %s', async (name) => {
    await bench.survive(async (workload) => {
      await using doomed = await addWriter(deaths[name]!);
      await waitUntil(doomed.isDead, { within: 60_000, what: 'the writer has died' });
      await workload.progress(20);
    });
  });

  it('jobs that are delivered twice, or again after they were done', async () => {
    let [twice, again] = [0, 0];
    await bench.survive(async (workload) => {
      const doubled = (queue: JobQueue) =>
        createFaultyQueue(queue, (_, { attempt }) => {
          const dice = Math.random();
          if (dice < 0.4) {
            twice++;
            return 'twice';
          }
          if (attempt > 1 || dice < 0.6) return 'deliver';
          again++;
          return 'die_after';
        });
      await using _ = await addWriter(({ queue }) => ({ queue: doubled(queue) }));
      await waitUntil(() => twice >= 10 && again >= 5, { within: 60_000, what: 'jobs were delivered twice' });
      await workload.progress(20);
    });
  });

  it('two writers that both hold every lane', async () => {
    let commits = 0;
    const counting = (store: Store) =>
      overriding(store, {
        transact: async (request, decide) => {
          const result = await store.transact(request, decide);
          if (request.changes.length > 0) commits++;
          return result;
        },
      });
    await bench.survive(async (workload) => {
      await using _ = await addWriter(({ store }) => ({ store: counting(store), leases: greedyLeases() }));
      await waitUntil(() => commits >= 20, { within: 60_000, what: 'the second holder has committed' });
      await workload.progress(50);
    });
  });
});

/** To whoever has these the leases of others do not exist; the tokens are as great as real ones. */
function greedyLeases(): Leases {
  const holders = new Set<string>();
  return {
    acquire: async () => ({ token: Date.now(), renew: async () => true, release: async () => undefined }),
    announce: async (holder) => void holders.add(holder),
    holders: async () => [...holders],
    retire: async (holder) => void holders.delete(holder),
    close: async () => undefined,
  };
}
