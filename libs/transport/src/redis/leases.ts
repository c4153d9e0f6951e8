import { type Millis, SyncError } from '@tidemark/protocol';
import type { Lease, Leases } from '../port.ts';
import { callRedis } from './call.ts';
import type { RedisConnections } from './connections.ts';
import { type RedisKeys, redisKeys } from './keys.ts';
import { acquireScript, announceScript, holdersScript, releaseScript, renewScript } from './lease-scripts.ts';

/**
 * Leases in Redis, timed by Redis' clock. A token is the last one plus one or Redis' clock in milliseconds, whichever is
 * greater, so tokens grow also when Redis has lost all of its memory, as long as its clock is not behind that of the
 * former one by more than it was away. Each process adds the greatest token that it has seen itself, or was told of.
 */
export function createRedisLeases(connections: RedisConnections): Leases {
  return new RedisLeases(connections);
}

class RedisLeases implements Leases {
  private readonly connections: RedisConnections;
  private readonly keys: RedisKeys;
  private lastToken = 0;
  private closed = false;

  constructor(connections: RedisConnections) {
    this.connections = connections;
    this.keys = redisKeys(connections.keyPrefix);
  }

  async acquire(name: string, holder: string, ttlMs: Millis, seen = 0): Promise<Lease | undefined> {
    const keys = [this.keys.lease(name), this.keys.leaseToken(name)];
    const before = performance.now();
    const answer = await this.run(acquireScript, keys, [holder, ttlMs, Math.max(this.lastToken, seen)]);
    if (typeof answer !== 'string') return undefined;
    const token = Number(answer);
    this.lastToken = Math.max(this.lastToken, token);
    return new RedisLease({
      run: this.run,
      key: this.keys.lease(name),
      value: `${token} ${holder}`,
      token,
      ttlMs,
      before,
    });
  }

  async announce(holder: string, ttlMs: Millis): Promise<void> {
    await this.run(announceScript, [this.keys.holders], [holder, ttlMs]);
  }

  async holders(): Promise<readonly string[]> {
    const answer = await this.run(holdersScript, [this.keys.holders], []);
    return Array.isArray(answer) ? answer.map(String).sort() : [];
  }

  async retire(holder: string): Promise<void> {
    if (this.closed) return;
    const client = this.connections.commands();
    await callRedis(client, this.connections.commandTimeoutMs, () => client.zrem(this.keys.holders, holder));
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  private readonly run: RunScript = (script, keys, args) => {
    if (this.closed) return Promise.reject(new SyncError('unavailable', 'The leases are closed.'));
    const client = this.connections.commands();
    return callRedis(client, this.connections.commandTimeoutMs, () =>
      client.eval(script, keys.length, ...keys, ...args),
    );
  };
}

type RunScript = (script: string, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

interface Held {
  readonly run: RunScript;
  readonly key: string;
  /** What the key holds while the lease is ours. */
  readonly value: string;
  readonly token: number;
  readonly ttlMs: Millis;
  /** Monotonic time before the acquisition was asked for: the lease lasts at least `ttlMs` from here. */
  readonly before: Millis;
}

class RedisLease implements Lease {
  private readonly held: Held;
  private renewedAt: Millis;
  private over = false;

  constructor(held: Held) {
    this.held = held;
    this.renewedAt = held.before;
  }

  get token(): number {
    return this.held.token;
  }

  /** Throws SyncError `unavailable` while Redis is away and the lease may still last; false as soon as it cannot. */
  async renew(): Promise<boolean> {
    if (this.over) return false;
    const { run, key, value, ttlMs } = this.held;
    const before = performance.now();
    try {
      if ((await run(renewScript, [key], [value, ttlMs])) === 1) this.renewedAt = before;
      else this.over = true;
    } catch (error) {
      if (performance.now() < this.renewedAt + ttlMs) throw error;
      this.over = true;
    }
    return !this.over;
  }

  async release(): Promise<void> {
    if (this.over) return;
    this.over = true;
    await this.held.run(releaseScript, [this.held.key], [this.held.value]);
  }
}
