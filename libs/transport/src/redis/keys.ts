import type { GatewayId, Lane } from '@tidemark/protocol';

/**
 * Every key and channel, in one place. What one script or BullMQ queue touches together shares a hash tag `{…}`, hence a
 * node of a Redis Cluster; different lanes and leases may live on different nodes.
 */
export interface RedisKeys {
  /** BullMQ's prefix for a lane; it appends `:jobs:…`. */
  lanePrefix(lane: Lane): string;
  /** Set of the lanes that have been used. */
  readonly lanes: string;
  readonly feed: string;
  replies(gateway: GatewayId): string;
  /** Token and holder while the lease is held. */
  lease(name: string): string;
  /** The last token of a name; never expires. */
  leaseToken(name: string): string;
  /** Sorted set of holders by the time (ms) until which they are alive. */
  readonly holders: string;
}

export function redisKeys(prefix: string): RedisKeys {
  return {
    lanePrefix: (lane) => `{${prefix}:lane-${lane}}`,
    lanes: `${prefix}:lanes`,
    feed: `{${prefix}:bus}:feed`,
    replies: (gateway) => `{${prefix}:bus}:replies:${gateway}`,
    lease: (name) => `{${prefix}:lease:${name}}:held`,
    leaseToken: (name) => `{${prefix}:lease:${name}}:token`,
    holders: `${prefix}:holders`,
  };
}
