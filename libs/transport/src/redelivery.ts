export interface RedeliveryDelays {
  readonly redeliveryDelayMs: number;
  readonly maxRedeliveryDelayMs: number;
}

/** Milliseconds to wait after the given number of failed deliveries (1 after the first): doubles up to the maximum. */
export function redeliveryDelay(failed: number, delays: RedeliveryDelays): number {
  // 2^30 is past every maximum; an endless retry must not overflow to Infinity.
  return Math.min(delays.maxRedeliveryDelayMs, delays.redeliveryDelayMs * 2 ** Math.min(failed - 1, 30));
}
