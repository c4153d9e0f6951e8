import type { UserId } from '@tidemark/protocol';

export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly retryAfterMs: number };

/** How many changes a user may send. An implementation that holds over a fleet answers with a promise. */
export interface RateLimiter {
  /** Takes `count` changes from the user's bucket if it is not in debt. A refused batch takes nothing. */
  admit(userId: UserId, count: number): Admission | Promise<Admission>;
}

export interface LocalRateLimiter extends RateLimiter {
  admit(userId: UserId, count: number): Admission;
  /** Users whose bucket is remembered, for tests and metrics. */
  readonly size: number;
}

export interface RateLimiterOptions {
  /** Changes per window: the size of the bucket. */
  readonly max: number;
  readonly windowMs: number;
  /** Milliseconds, never going back. */
  readonly now?: () => number;
  /** Buckets that are kept. Past it an old one is forgotten, in its user's favour. */
  readonly maxUsers?: number;
}

interface Bucket {
  /** Negative: in debt. */
  tokens: number;
  /** When `tokens` was right. */
  at: number;
}

/** Refilling adds fractions up; a caller that waited as told must not fail by the last bit. */
const wholeChange = 1 - 1e-6;
/** More than one, so that the map shrinks while users come and go. */
const inspectedPerCall = 2;
const admitted: Admission = { admitted: true };

/**
 * A token bucket per user, in this process.
 *
 * A bucket that does not hold one whole change counts as in debt. One that does admits a batch of any size and may go below
 * zero by it, so a client that waits `retryAfterMs` gets on whatever the length of its queue, and over time nobody gets more
 * than `max` per window. `retryAfterMs` is exact: a call that much later is admitted, if nothing else was sent meanwhile.
 */
export function createRateLimiter(options: RateLimiterOptions): LocalRateLimiter {
  const { max, windowMs, now = () => performance.now(), maxUsers = 100_000 } = options;
  if (!(max >= 1 && Number.isFinite(max))) throw new RangeError('max must be a number of at least 1');
  if (!(windowMs > 0 && Number.isFinite(windowMs))) throw new RangeError('windowMs must be a number above 0');
  const perMs = max / windowMs;
  const buckets = new Map<UserId, Bucket>();

  const tokensAt = (bucket: Bucket, time: number) =>
    Math.min(max, bucket.tokens + Math.max(0, time - bucket.at) * perMs);

  /** A full bucket says the same as none. What is not full yet goes to the back, so that each gets its turn. */
  function forgetFull(time: number): void {
    for (let turn = 0; turn < inspectedPerCall; turn++) {
      const oldest = buckets.entries().next().value;
      if (oldest === undefined) return;
      const [userId, bucket] = oldest;
      buckets.delete(userId);
      if (tokensAt(bucket, time) < max && buckets.size < maxUsers - 1) buckets.set(userId, bucket);
    }
  }

  function admit(userId: UserId, count: number): Admission {
    const time = now();
    const bucket = buckets.get(userId);
    const tokens = bucket === undefined ? max : tokensAt(bucket, time);
    if (tokens < wholeChange) return { admitted: false, retryAfterMs: Math.ceil((wholeChange - tokens) / perMs) };
    buckets.delete(userId);
    forgetFull(time);
    buckets.set(userId, { tokens: tokens - count, at: time });
    return admitted;
  }

  return {
    admit,
    get size() {
      return buckets.size;
    },
  };
}
