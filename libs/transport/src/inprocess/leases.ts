import { type Millis, SyncError } from '@tidemark/protocol';
import type { Lease, Leases } from '../port.ts';

export interface InProcessLeasesOptions {
  /** Milliseconds; default Date.now. */
  readonly clock?: () => Millis;
}

interface Held {
  readonly holder: string;
  readonly token: number;
  expiresAt: Millis;
}

/**
 * Leases in memory. A token is the clock's milliseconds or the last token plus one, whichever is greater, so that tokens
 * grow over restarts of the process too.
 */
export function createInProcessLeases(options: InProcessLeasesOptions = {}): Leases {
  return new MemoryLeases(options.clock ?? Date.now);
}

class MemoryLeases implements Leases {
  private readonly clock: () => Millis;
  private readonly held = new Map<string, Held>();
  private readonly announced = new Map<string, Millis>();
  private lastToken = 0;
  private closed = false;

  constructor(clock: () => Millis) {
    this.clock = clock;
  }

  async acquire(name: string, holder: string, ttlMs: Millis, seen = 0): Promise<Lease | undefined> {
    this.refuseWhenClosed();
    const now = this.clock();
    const current = this.held.get(name);
    if (current !== undefined && current.expiresAt > now && current.holder !== holder) return undefined;
    this.lastToken = Math.max(this.lastToken + 1, seen + 1, Math.floor(now));
    const mine: Held = { holder, token: this.lastToken, expiresAt: now + ttlMs };
    this.held.set(name, mine);
    return {
      token: mine.token,
      renew: async () => this.renew(name, mine, ttlMs),
      release: async () => {
        if (this.held.get(name) === mine) this.held.delete(name);
      },
    };
  }

  async announce(holder: string, ttlMs: Millis): Promise<void> {
    this.refuseWhenClosed();
    this.announced.set(holder, this.clock() + ttlMs);
  }

  async holders(): Promise<readonly string[]> {
    this.refuseWhenClosed();
    const now = this.clock();
    for (const [holder, expiresAt] of this.announced) {
      if (expiresAt <= now) this.announced.delete(holder);
    }
    return [...this.announced.keys()].sort();
  }

  async retire(holder: string): Promise<void> {
    this.announced.delete(holder);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  private renew(name: string, mine: Held, ttlMs: Millis): boolean {
    const now = this.clock();
    if (this.closed || this.held.get(name) !== mine) return false;
    if (mine.expiresAt <= now) {
      this.held.delete(name);
      return false;
    }
    mine.expiresAt = now + ttlMs;
    return true;
  }

  private refuseWhenClosed(): void {
    if (this.closed) throw new SyncError('unavailable', 'The leases are closed.');
  }
}
