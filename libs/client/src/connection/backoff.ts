import type { Millis } from '@tidemark/protocol/core';

/** How long the client waits before it connects again: twice as long each time, and part of it at random. */
export interface BackoffSettings {
  /** Longest wait after the first failure. */
  readonly baseMs: Millis;
  /** Longest wait ever. */
  readonly maxMs: Millis;
}

export const defaultBackoff: BackoffSettings = { baseMs: 500, maxMs: 30_000 };

/**
 * How long to wait after so many failures in a row: doubles each time up to the maximum, and a random half of it is taken off,
 * so that the clients of a server that comes back do not come at once. `random` is in [0, 1).
 */
export function backoffMs(failures: number, random: number, { baseMs, maxMs }: BackoffSettings): Millis {
  const longest = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(longest * (0.5 + random / 2));
}

/** A wait that a server asked for, spread by a quarter. */
export function spreadMs(ms: Millis, random: number): Millis {
  return Math.round(ms * (1 + random / 4));
}
