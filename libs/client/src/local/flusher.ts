import type { Cancel, Clock } from '../clock.ts';
import type { LocalDatabase } from './database.ts';
import { isEmptyBatch } from './is-empty-batch.ts';
import { LocalStoreError } from './port.ts';
import type { WriteBatch } from './records.ts';

const retryMs = 5_000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface FlusherOptions {
  readonly database: LocalDatabase;
  readonly clock: Clock;
  readonly write: (batch: WriteBatch) => Promise<void>;
  /** After every batch that has been written. */
  readonly written: (batch: WriteBatch) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Writes what is dirty behind the database: one batch at a time, all that has become dirty meanwhile in the next.
 * After a failure everything stays dirty and is tried again with the next change, at the latest after five seconds.
 */
export class Flusher {
  readonly #options: FlusherOptions;
  #waiters: Waiter[] = [];
  #running: Promise<void> | undefined;
  #cancelRetry: Cancel | undefined;
  #isStopped = false;

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  /** Starts writing unless it goes on already. */
  schedule(): void {
    if (!this.#isStopped) this.#running ??= this.#run();
  }

  /** Resolves when all that was changed before the call is stored; rejects when that failed, and after `stop`. */
  flushed(): Promise<void> {
    if (this.#isStopped) return Promise.reject(new LocalStoreError('closed', 'the client was closed'));
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.schedule();
    });
  }

  /** Waits for the batch under way and stops trying: what is changed from now on stays in memory. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRetry?.();
    await this.#running;
    this.#cancelRetry?.();
  }

  async #run(): Promise<void> {
    this.#cancelRetry?.();
    // What is changed in the same turn goes into the same batch.
    await Promise.resolve();
    let going = true;
    while (going && (this.#options.database.journal.isDirty || this.#waiters.length > 0))
      going = await this.#writeOnce();
    this.#running = undefined;
    if (!going) this.#cancelRetry = this.#options.clock.after(retryMs, () => this.schedule());
  }

  async #writeOnce(): Promise<boolean> {
    const waiters = this.#waiters;
    this.#waiters = [];
    const { dirty, batch } = this.#options.database.takeDirty();
    try {
      if (!isEmptyBatch(batch)) await this.#options.write(batch);
    } catch (error) {
      this.#options.database.journal.putBack(dirty);
      for (const waiter of waiters) waiter.reject(error);
      if (!this.#isStopped) this.#options.failed(error);
      return false;
    }
    this.#options.written(batch);
    for (const waiter of waiters) waiter.resolve();
    return true;
  }
}
