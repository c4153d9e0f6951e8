import { type Millis, SyncError } from '@tidemark/protocol';
import type { TideStore } from '@tidemark/storage';

const attempts = 200;

/**
 * The tide table as a gateway uses it. Every time that it hands out stands for exactly one checkpoint, so that a client that
 * only keeps the time goes on where it stopped.
 */
export class TideBook {
  private readonly store: TideStore;
  private readonly now: () => Millis;
  private last: { readonly time: Millis; readonly token: string } | undefined;

  constructor(store: TideStore, now: () => Millis) {
    this.store = store;
    this.now = now;
  }

  find(time: Millis): Promise<{ readonly time: Millis; readonly token: string } | undefined> {
    return this.store.findTide(time);
  }

  /** A time for the token, durable before it is handed out. Equal tokens in a row share one. */
  async timeOf(token: string): Promise<Millis> {
    if (this.last?.token === token) return this.last.time;
    let time = Math.max(this.now(), (this.last?.time ?? 0) + 1);
    for (let attempt = 0; attempt < attempts; attempt++, time++) {
      if (!(await this.store.recordTide(time, token))) continue;
      if (time > (this.last?.time ?? 0)) this.last = { time, token };
      return time;
    }
    throw new SyncError('overloaded', 'too many readers by time at once', { retryAfterMs: 1_000 });
  }
}
