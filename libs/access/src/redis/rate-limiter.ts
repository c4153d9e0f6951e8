import type { UserId } from '@tidemark/protocol';
import type { Cluster, Redis } from 'ioredis';
import { type Admission, createRateLimiter, type RateLimiter } from '../rate-limiter.ts';

export interface RedisRateLimiterOptions {
  readonly client: Redis | Cluster;
  readonly keyPrefix: string;
  /** Changes per window: the size of the bucket. */
  readonly max: number;
  readonly windowMs: number;
  /** Told when Redis does not answer: then only what comes through this process is counted. */
  readonly onError?: (error: unknown) => void;
}

/**
 * The bucket as one number: the time at which it will be full again. KEYS: the user's. ARGV: changes, max, window in ms.
 * Answers -1 when admitted, else the ms to wait. A full bucket has no key.
 */
const admitScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local perChange = ARGV[3] / ARGV[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = full - now - (ARGV[3] - perChange)
if wait > perChange * 1e-6 then return math.ceil(wait) end
full = full + ARGV[1] * perChange
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now))
return -1
`;

/**
 * The rate limit of a fleet: the bucket of createRateLimiter, kept in Redis and timed by its clock. One script takes and
 * answers, so that requests that come at once, at whichever gateways, never share a change of the bucket. A Redis that
 * comes back empty has full buckets. While Redis is away each gateway counts by itself.
 */
export function createRedisRateLimiter(options: RedisRateLimiterOptions): RateLimiter {
  const { client, keyPrefix, max, windowMs, onError = () => undefined } = options;
  const own = createRateLimiter({ max, windowMs });

  async function admit(userId: UserId, count: number): Promise<Admission> {
    try {
      const wait = Number(await client.eval(admitScript, 1, `${keyPrefix}:rate:${userId}`, count, max, windowMs));
      return wait < 0 ? { admitted: true } : { admitted: false, retryAfterMs: wait };
    } catch (error) {
      onError(error);
      return own.admit(userId, count);
    }
  }

  return { admit };
}
