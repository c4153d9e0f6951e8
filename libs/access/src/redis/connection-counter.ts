import type { Cluster, Redis } from 'ioredis';
import { type ConnectionCounter, createConnectionCounter, type Release } from '../connection-counter.ts';

export interface RedisConnectionCounterOptions {
  readonly client: Redis | Cluster;
  readonly keyPrefix: string;
  /** What is counted: `user`, `address`. */
  readonly kind: string;
  /** This process among all. */
  readonly gateway: string;
  readonly max: number;
  /** Counts of a gateway that has not been heard of for so long no longer count. */
  readonly ttlMs?: number;
  /** Told when Redis does not answer: then only this process' own connections are counted. */
  readonly onError?: (error: unknown) => void;
}

export interface RedisConnectionCounter extends ConnectionCounter {
  /** Takes the counts of this process back. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * A hash per gateway (key → count) and a sorted set of the gateways that are alive. KEYS: set, own hash.
 * ARGV: start of every hash's name, counted key, max, own id, ms to live.
 */
const acquireScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[5], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
local held = 0
for _, gateway in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  held = held + tonumber(redis.call('HGET', ARGV[1] .. gateway, ARGV[2]) or '0')
end
if held >= tonumber(ARGV[3]) then return 0 end
redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
`;

/**
 * Writes anew what a gateway holds. Redis tells the time: a gateway whose clock is wrong lives as long as the others.
 * KEYS: as above. ARGV: own id, ms to live, then keys and counts in turns.
 */
const rewriteScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('DEL', KEYS[2])
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
if #ARGV > 2 then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/** A count that Redis has forgotten must not go below nothing, in a key that nobody deletes. KEYS: own hash. ARGV: counted key. */
const releaseScript = `
if tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') > 0 then redis.call('HINCRBY', KEYS[1], ARGV[1], -1) end
`;

/**
 * Counts over a fleet. What a gateway holds is written anew three times per time to live, so lost messages, a Redis that
 * forgot, and gateways that died all heal by themselves.
 */
export function createRedisConnectionCounter(options: RedisConnectionCounterOptions): RedisConnectionCounter {
  const { client, kind, gateway, max, ttlMs = 15_000, onError = () => undefined } = options;
  const own = createConnectionCounter({ max });
  const counts = new Map<string, number>();
  const set = `{${options.keyPrefix}}:connections:${kind}`;
  const hash = `${set}:${gateway}`;

  function count(key: string, by: number): void {
    const next = (counts.get(key) ?? 0) + by;
    if (next > 0) counts.set(key, next);
    else counts.delete(key);
  }

  async function mayHold(key: string): Promise<boolean> {
    try {
      return (await client.eval(acquireScript, 2, set, hash, `${set}:`, key, max, gateway, ttlMs)) === 1;
    } catch (error) {
      onError(error);
      return true;
    }
  }

  async function acquire(key: string): Promise<Release | undefined> {
    const release = own.acquire(key);
    if (release === undefined) return undefined;
    // Before Redis is asked: a rewrite that overtakes the answer must not take the place back.
    count(key, 1);
    if (!(await mayHold(key))) {
      count(key, -1);
      release();
      return undefined;
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      release();
      count(key, -1);
      client.eval(releaseScript, 1, hash, key).catch(onError);
    };
  }

  async function rewrite(): Promise<void> {
    await client.eval(rewriteScript, 2, set, hash, gateway, ttlMs, ...[...counts].flat());
  }

  const timer = setInterval(() => void rewrite().catch(onError), ttlMs / 3);
  timer.unref();
  return {
    acquire,
    async close() {
      clearInterval(timer);
      await client.multi().del(hash).zrem(set, gateway).exec().catch(onError);
    },
  };
}
