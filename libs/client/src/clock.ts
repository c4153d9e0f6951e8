import type { Millis } from '@tidemark/protocol/core';

/** Ends a timer; safe to call after it has fired. */
export type Cancel = () => void;

/** Time as the client sees it; a test passes its own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): Millis;
  /** Calls `run` once, `ms` from now, never synchronously. */
  after(ms: number, run: () => void): Cancel;
}

/** The machine's own clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};
