import { createAdapter } from '@socket.io/redis-adapter';
import type { Logger } from '@tidemark/telemetry';
import type { RedisClient, RedisConnections } from '@tidemark/transport/redis';
import type { ServerOptions } from 'socket.io';

/** What the adapter calls without looking at the answer. */
const calls: ReadonlySet<unknown> = new Set(['publish', 'subscribe', 'psubscribe', 'unsubscribe', 'punsubscribe']);

/** Carries operators' orders to all gateways of the fleet. What it cannot send while Redis is away is logged and lost. */
export function createFleetAdapter(redis: RedisConnections, logger: Logger): NonNullable<ServerOptions['adapter']> {
  const onError = (err: unknown) => logger.warn({ err }, 'an order of an operator did not reach the other gateways');
  const [commands, subscriber] = [redis.commands(), redis.subscriber()].map((client) => tolerant(client, onError));
  return createAdapter(commands, subscriber, { key: `${redis.keyPrefix}:socket.io` });
}

/** The client as the adapter needs it: a rejection that nobody waits for would end the process. */
function tolerant(client: RedisClient, onError: (error: unknown) => void): RedisClient {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || name === 'constructor') return value;
      if (!calls.has(name)) return value.bind(target);
      return (...args: readonly unknown[]) => Promise.resolve(value.apply(target, args)).catch(onError);
    },
  });
}
