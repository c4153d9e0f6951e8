import { StoreError } from '../store-error.ts';
import type { Environment, RowWrite, Table } from './environment.ts';

/** Rows as they are for a job: what is on disk, and above it what the jobs before it in the same commit write. */
export interface View {
  get(table: Table, key: string): string | undefined;
}

/** A step that reads, decides and says what to write; run without interruption, one after the other. */
export interface Job<T> {
  /** About how many rows it touches. */
  readonly weight: number;
  run(view: View): { readonly writes: readonly RowWrite[]; readonly result: T };
}

interface Waiting {
  readonly weight: number;
  /** Returns what to write, or undefined when the job has failed by itself. */
  prepare(view: View): readonly RowWrite[] | undefined;
  succeed(): void;
  fail(error: unknown): void;
}

const maxWaiting = 10_000;
const maxCommitWeight = 5_000;

/**
 * All writes of the store: jobs that arrive while a commit is under way share the next one (group flush).
 * A job's promise resolves when its writes are on disk. A job that throws fails alone; when a commit fails, all of its jobs do.
 */
export class Committer {
  readonly #environment: Pick<Environment, 'commit'>;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #closed: string | undefined;
  #lastFailure: unknown;

  constructor(environment: Pick<Environment, 'commit'>) {
    this.#environment = environment;
  }

  /** Why the last commit failed; undefined when it did not. */
  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  /** Throws StoreError `unavailable` once the store is closed. */
  assertOpen(): void {
    if (this.#closed !== undefined) throw new StoreError('unavailable', this.#closed);
  }

  submit<T>(job: Job<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.assertOpen();
      if (this.#waiting.length >= maxWaiting) throw new StoreError('unavailable', 'too many transactions are waiting');
      this.#waiting.push(waitingOf(job, { resolve, reject }));
      this.#running ??= this.#run();
    });
  }

  /** Refuses new jobs for the reason given and resolves when those that were accepted have ended. */
  async close(reason: string): Promise<void> {
    this.#closed ??= reason;
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#commitGroup(this.#takeGroup());
    this.#running = undefined;
  }

  #takeGroup(): readonly Waiting[] {
    let weight = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || weight < maxCommitWeight)) {
      weight += this.#waiting[count]?.weight ?? 0;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    const overlay = new Overlay();
    const prepared = group.filter((waiting) => {
      const writes = waiting.prepare(overlay);
      if (writes) overlay.add(writes);
      return writes !== undefined;
    });
    try {
      if (overlay.writes.length > 0) await this.#environment.commit(overlay.writes);
      this.#lastFailure = undefined;
      for (const waiting of prepared) waiting.succeed();
    } catch (error) {
      this.#lastFailure = error;
      for (const waiting of prepared) waiting.fail(error);
    }
  }
}

function waitingOf<T>(job: Job<T>, ends: { resolve(value: T): void; reject(error: unknown): void }): Waiting {
  let result: T;
  return {
    weight: job.weight,
    prepare(view) {
      try {
        const done = job.run(view);
        result = done.result;
        return done.writes;
      } catch (error) {
        ends.reject(error);
        return undefined;
      }
    },
    succeed: () => ends.resolve(result),
    fail: ends.reject,
  };
}

/** What a commit will write, visible to the jobs that follow in it. */
class Overlay implements View {
  readonly writes: RowWrite[] = [];
  readonly #rows = new Map<Table, Map<string, string | undefined>>();

  get(table: Table, key: string): string | undefined {
    const rows = this.#rows.get(table);
    if (rows?.has(key)) return rows.get(key);
    return readRow(table, key);
  }

  add(writes: readonly RowWrite[]): void {
    for (const write of writes) {
      this.writes.push(write);
      this.#rowsOf(write.table).set(write.key, write.value);
    }
  }

  #rowsOf(table: Table): Map<string, string | undefined> {
    let rows = this.#rows.get(table);
    if (!rows) {
      rows = new Map();
      this.#rows.set(table, rows);
    }
    return rows;
  }
}

/** The row as it is on disk. Throws StoreError `unavailable`. */
export function readRow(table: Table, key: string): string | undefined {
  try {
    return table.get(key);
  } catch (error) {
    throw new StoreError('unavailable', 'the store cannot be read', error);
  }
}
