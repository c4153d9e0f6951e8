export {
  createRedisConnectionCounter,
  type RedisConnectionCounter,
  type RedisConnectionCounterOptions,
} from './connection-counter.ts';
export { createRedisRateLimiter, type RedisRateLimiterOptions } from './rate-limiter.ts';
