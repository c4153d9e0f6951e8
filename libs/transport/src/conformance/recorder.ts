/** Keeps what arrives and lets a test wait for it by condition instead of by time. */
export interface Recorder<T> {
  readonly items: readonly T[];
  add(item: T): void;
  /** Resolves with all items as soon as there are `count`; rejects after `withinMs`. */
  reached(count: number, withinMs?: number): Promise<readonly T[]>;
}

export function createRecorder<T>(): Recorder<T> {
  const items: T[] = [];
  const waiters = new Set<() => void>();
  return {
    items,
    add(item) {
      items.push(item);
      for (const check of waiters) check();
    },
    reached(count, withinMs = 15_000) {
      return new Promise((resolve, reject) => {
        const settle = (finish: () => void) => {
          waiters.delete(check);
          clearTimeout(timer);
          finish();
        };
        const check = () => {
          if (items.length >= count) settle(() => resolve(items));
        };
        const timer = setTimeout(
          () => settle(() => reject(new Error(`${items.length} of ${count} items within ${withinMs} ms`))),
          withinMs,
        );
        waiters.add(check);
        check();
      });
    },
  };
}

/** A gate that handlers wait at until the test opens it. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function createGate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Resolves when the condition holds; looks again every few milliseconds, rejects after `withinMs`. */
export async function eventually(condition: () => Promise<boolean> | boolean, withinMs = 15_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
