import { StoreError } from '../store-error.ts';

/** Counts the calls of a store, so that closing can wait for those that were begun. */
export interface InFlight {
  /** Throws StoreError `unavailable` after `close`. */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Ends with `release`, which runs once, after the last call. */
  close(release: () => Promise<void>): Promise<void>;
}

export function createInFlight(): InFlight {
  const calls = new Set<Promise<unknown>>();
  let closed: Promise<void> | undefined;
  return {
    run: async (call) => {
      if (closed) throw new StoreError('unavailable', 'the store is closed');
      const running = call();
      calls.add(running);
      try {
        return await running;
      } finally {
        calls.delete(running);
      }
    },
    close: (release) => {
      closed ??= Promise.allSettled(calls).then(release);
      return closed;
    },
  };
}
