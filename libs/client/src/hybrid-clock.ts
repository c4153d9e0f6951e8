import type { Millis } from '@tidemark/protocol/core';

/**
 * A hybrid logical clock: timestamps for writes.
 * Guaranteed: every timestamp is later than all it gave before and than all versions it was shown, whatever the machine's clock does.
 * Counted in whole milliseconds, since the server keeps no fractions.
 */
export class HybridClock {
  readonly #now: () => Millis;
  #last: Millis = 0;
  #offset: Millis = 0;

  constructor(now: () => Millis) {
    this.#now = now;
  }

  /** The last timestamp given or seen; kept with the store, so that a restart cannot go back. */
  get last(): Millis {
    return this.#last;
  }

  next(): Millis {
    this.#last = Math.max(Math.floor(this.#now() + this.#offset), this.#last + 1);
    return this.#last;
  }

  observe(timestamp: Millis | undefined): void {
    if (timestamp !== undefined && timestamp > this.#last) this.#last = timestamp;
  }

  /** The server's time right now. A clock that is wrong by more than a second is corrected, smaller differences are travel time. */
  alignWith(serverTime: Millis): void {
    const difference = serverTime - this.#now();
    this.#offset = Math.abs(difference) > 1_000 ? difference : 0;
  }
}
