import type { Millis } from '@tidemark/protocol/core';
import { ClientError } from './client-error.ts';
import type { Clock } from './clock.ts';

/** How long to wait. */
export interface WaitOptions {
  /** Gives up with ClientError `timeout` after so many ms; for ever by default. */
  readonly timeoutMs?: Millis;
}

export interface SyncWaitOptions extends WaitOptions {
  readonly clock: Clock;
  readonly isClosed: () => boolean;
  /** Everything of ours is decided and shown, and all subscriptions are complete. */
  readonly isInSync: () => boolean;
  /** Asks the server to say when everything has arrived. */
  readonly mark: () => void;
}

/** Those who wait until this client and the server are in step. */
export class SyncWaiters {
  readonly #checks = new Set<(isMarked: boolean) => void>();

  /** Something may have brought us in step; with `isMarked` the server has said that everything is here. */
  check(isMarked: boolean): void {
    for (const check of [...this.#checks]) check(isMarked);
  }

  wait({ timeoutMs, clock, isClosed, isInSync, mark }: SyncWaitOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      let hasMark = false;
      const finish = (error?: ClientError) => {
        cancel();
        this.#checks.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const timedOut = () => finish(new ClientError('timeout', `not in sync after ${timeoutMs} ms`));
      const cancel = timeoutMs === undefined ? () => {} : clock.after(timeoutMs, timedOut);
      const check = (isMarked: boolean) => {
        hasMark ||= isMarked;
        if (isClosed()) finish(new ClientError('closed', 'the client was closed'));
        else if (hasMark && isInSync()) finish();
      };
      this.#checks.add(check);
      mark();
    });
  }
}
