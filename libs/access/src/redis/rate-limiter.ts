import type { UserId } from '@tidemark/protocol';
import type { Cluster, Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Admission, RateLimiter } from '../rate-limiter.ts';

export interface RedisRateLimiterOptions {
  readonly client: Redis | Cluster;
  readonly keyPrefix: string;
  /** Changes per window. */
  readonly max: number;
  readonly windowMs: number;
}

/**
 * The rate limit of a fleet, counted in Redis. A user who has used up the window waits for the next one; a batch that goes
 * over it makes the wait longer in proportion, so that over time nobody gets more than `max` per window.
 * While Redis is away each gateway counts by itself.
 */
export function createRedisRateLimiter({ client, keyPrefix, max, windowMs }: RedisRateLimiterOptions): RateLimiter {
  const window = { points: max, duration: windowMs / 1_000 };
  const limiter = new RateLimiterRedis({
    ...window,
    storeClient: client,
    keyPrefix: `{${keyPrefix}}:rate`,
    insuranceLimiter: new RateLimiterMemory(window),
  });

  async function admit(userId: UserId, count: number): Promise<Admission> {
    const before = await limiter.get(userId);
    if (before !== null && before.consumedPoints >= max) return { admitted: false, retryAfterMs: waitOf(before) };
    const after = await limiter.penalty(userId, count);
    const debt = after.consumedPoints - max;
    if (debt > 0) await limiter.block(userId, (waitOf(after) + (debt / max) * windowMs) / 1_000);
    return { admitted: true };
  }

  return { admit };
}

/** At least a moment: a key that is about to end must not tell clients to come back at once. */
function waitOf(state: RateLimiterRes): number {
  return Math.max(Math.ceil(state.msBeforeNext), 1);
}
