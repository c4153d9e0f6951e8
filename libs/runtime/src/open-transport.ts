import type { Settings } from '@tidemark/config';
import { type Health, Misconfigured, type Telemetry } from '@tidemark/telemetry';
import type { Bus, JobQueue, Leases } from '@tidemark/transport';
import type { RedisConnections } from '@tidemark/transport/redis';

/** How the parts of a server reach each other. */
export interface Transport {
  readonly queue: JobQueue;
  readonly bus: Bus;
  readonly leases: Leases;
  /** Adds what `/ready` should look at. */
  watch(health: Health): void;
  close(): Promise<void>;
}

export interface FleetTransport extends Transport {
  readonly redis: RedisConnections;
}

/** The transport of a server that is one process. */
export async function openInProcessTransport(settings: Settings, telemetry: Telemetry): Promise<Transport> {
  const { createInProcessBus, createInProcessLeases, createInProcessQueue } = await import(
    '@tidemark/transport/inprocess'
  );
  const queue = createInProcessQueue({ maxDepth: settings.queueMaxDepth, log: telemetry.logger });
  const bus = createInProcessBus({ log: telemetry.logger });
  return transportOf({ queue, bus, leases: createInProcessLeases() });
}

/** The transport of a fleet. Does not wait for Redis: it may come up later. */
export async function openFleetTransport(
  settings: Settings & { readonly redisUrl: string },
  telemetry: Telemetry,
): Promise<FleetTransport> {
  const { connectRedis, createRedisBus, createRedisLeases, createRedisQueue, inspectRedis } = await import(
    '@tidemark/transport/redis'
  );
  const redis = connectRedis({ url: settings.redisUrl, keyPrefix: settings.redisKeyPrefix, log: telemetry.logger });
  const leases = createRedisLeases(redis);
  const transport = transportOf({ queue: createRedisQueue(redis), bus: createRedisBus(redis), leases });
  const warned = new Set<string>();
  return {
    ...transport,
    redis,
    watch(health) {
      transport.watch(health);
      health.register('redis_settings', async () => {
        for (const { message, severity } of await inspectRedis(redis)) {
          if (!warned.has(message)) telemetry.logger.warn({ severity }, message);
          warned.add(message);
          if (severity === 'error') throw new Misconfigured(message);
        }
      });
    },
    async close() {
      await transport.close();
      await redis.close();
    },
  };
}

function transportOf(parts: Pick<Transport, 'queue' | 'bus' | 'leases'>): Transport {
  const { queue, bus, leases } = parts;
  return {
    ...parts,
    watch(health) {
      health.register('queue', () => queue.check());
      health.register('bus', () => bus.check());
    },
    async close() {
      await queue.close();
      await bus.close();
      await leases.close();
    },
  };
}
