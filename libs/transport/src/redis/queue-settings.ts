import type { RedeliveryDelays } from '../redelivery.ts';

export interface RedisQueueOptions extends Partial<RedeliveryDelays> {
  /** Jobs that one lane may hold, waiting or at work; one more is `overloaded`. Several gateways at once may exceed it a little. */
  readonly maxDepth?: number;
  /** What a refused gateway is told to wait. */
  readonly retryAfterMs?: number;
  /** A job whose consumer's process is gone comes again after at most this time and three seconds. */
  readonly lockMs?: number;
}

export type RedisQueueSettings = Required<RedisQueueOptions>;

export const queueDefaults: RedisQueueSettings = {
  maxDepth: 1_000,
  retryAfterMs: 500,
  redeliveryDelayMs: 50,
  maxRedeliveryDelayMs: 5_000,
  lockMs: 4_000,
};
