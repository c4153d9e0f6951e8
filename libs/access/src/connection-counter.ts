/** Gives the place back. Calling it again does nothing. */
export type Release = () => void;

/** How many connections a key (a user, an address) holds. An implementation that holds over a fleet answers with a promise. */
export interface ConnectionCounter {
  /** A place for one more connection, or undefined when the key has `max` already. Whoever gets one must release it. */
  acquire(key: string): Release | undefined | Promise<Release | undefined>;
}

export interface LocalConnectionCounter extends ConnectionCounter {
  acquire(key: string): Release | undefined;
  /** Connections that the key holds now. */
  count(key: string): number;
  /** Keys that hold any. */
  readonly size: number;
}

/** Counts in this process. Memory is bounded by the connections that are open. */
export function createConnectionCounter(options: { readonly max: number }): LocalConnectionCounter {
  const { max } = options;
  if (!(max >= 1)) throw new RangeError('max must be at least 1');
  const counts = new Map<string, number>();
  const count = (key: string) => counts.get(key) ?? 0;

  function release(key: string): void {
    const rest = count(key) - 1;
    if (rest > 0) counts.set(key, rest);
    else counts.delete(key);
  }

  function acquire(key: string): Release | undefined {
    if (count(key) >= max) return undefined;
    counts.set(key, count(key) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      release(key);
    };
  }

  return {
    acquire,
    count,
    get size() {
      return counts.size;
    },
  };
}
