import type { Settings } from '@tidemark/config';
import type { Health, Telemetry } from '@tidemark/telemetry';
import type { Bus, JobQueue, Leases } from '@tidemark/transport';
import type { RedisConnections } from '@tidemark/transport/redis';

/** How the parts of a server reach each other. */
export interface Transport {
  readonly queue: JobQueue;
  readonly bus: Bus;
  readonly leases: Leases;
  /** Of a fleet. */
  readonly redis: RedisConnections | undefined;
  /** Adds what `/ready` should look at. */
  watch(health: Health): void;
  close(): Promise<void>;
}

/** The transport that the settings ask for; the adapter of the other one is not loaded. Does not wait for Redis. */
export function openTransport(settings: Settings, telemetry: Telemetry): Promise<Transport> {
  return settings.redisUrl === undefined
    ? openInProcess(settings, telemetry)
    : openRedis(settings, settings.redisUrl, telemetry);
}

async function openInProcess(settings: Settings, telemetry: Telemetry): Promise<Transport> {
  const { createInProcessBus, createInProcessLeases, createInProcessQueue } = await import(
    '@tidemark/transport/inprocess'
  );
  const queue = createInProcessQueue({ maxDepth: settings.queueMaxDepth, log: telemetry.logger });
  const bus = createInProcessBus({ log: telemetry.logger });
  return transportOf({ queue, bus, leases: createInProcessLeases(), redis: undefined });
}

async function openRedis(settings: Settings, url: string, telemetry: Telemetry): Promise<Transport> {
  const { connectRedis, createRedisBus, createRedisLeases, createRedisQueue, inspectRedis } = await import(
    '@tidemark/transport/redis'
  );
  const redis = connectRedis({ url, keyPrefix: settings.redisKeyPrefix, log: telemetry.logger });
  const transport = transportOf({
    queue: createRedisQueue(redis),
    bus: createRedisBus(redis),
    leases: createRedisLeases(redis),
    redis,
  });
  const warned = new Set<string>();
  return {
    ...transport,
    watch(health) {
      transport.watch(health);
      health.register('redis_settings', async () => {
        for (const { message, severity } of await inspectRedis(redis)) {
          if (!warned.has(message)) telemetry.logger.warn({ severity }, message);
          warned.add(message);
          if (severity === 'error') throw new Error(message);
        }
      });
    },
  };
}

function transportOf(parts: Pick<Transport, 'queue' | 'bus' | 'leases' | 'redis'>): Transport {
  const { queue, bus, leases, redis } = parts;
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
      await redis?.close();
    },
  };
}
