export { createRedisBus } from './bus.ts';
export type { RedisClient } from './client-options.ts';
export { connectRedis, type RedisConnections, type RedisOptions } from './connections.ts';
export { inspectRedis, type RedisFault } from './inspect.ts';
export { createRedisLeases } from './leases.ts';
export { createRedisQueue, type RedisQueue } from './queue.ts';
export type { RedisQueueOptions } from './queue-settings.ts';
