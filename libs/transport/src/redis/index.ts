export { createRedisBus } from './bus.ts';
export { connectRedis, type RedisClient, type RedisConnections, type RedisOptions } from './connections.ts';
export { inspectRedis, type RedisFault } from './inspect.ts';
export { createRedisLeases } from './leases.ts';
export { createRedisQueue, type RedisQueue, type RedisQueueOptions } from './queue.ts';
