import { type Database, open, type RootDatabase } from 'lmdb';
import { StoreError } from '../store-error.ts';

/** Keys are strings of bytes (see ordered-text.ts), values are text. */
export type Table = Database<string, string>;

const tableNames = ['documents', 'log', 'outcomes', 'superseded', 'index', 'tides', 'meta'] as const;
export type Tables = Readonly<Record<(typeof tableNames)[number], Table>>;

/** One row to write; without a value it is removed. */
export interface RowWrite {
  readonly table: Table;
  readonly key: string;
  readonly value: string | undefined;
}

const keyEncoder = {
  writeKey(key: string, target: Buffer, start: number): number {
    return start + target.write(key, start, 'latin1');
  },
  readKey(source: Buffer, start: number, end: number): string {
    return Buffer.prototype.toString.call(source, 'latin1', start, end);
  },
};

const tableOptions = { encoding: 'string', keyEncoder } as const;

/**
 * The LMDB files of a directory.
 *
 * `overlappingSync` is off, so that readers never see what a crash could take back: LMDB then flushes the pages of a
 * transaction before it writes the meta page that makes them visible, and that page is written through as well.
 * (With it on a commit is visible first and flushed later; it is no faster here, since a commit is awaited anyway.)
 */
export class Environment {
  readonly tables: Tables;
  readonly #root: RootDatabase<string, string>;

  constructor(directory: string) {
    this.#root = open<string, string>({
      path: directory,
      noSubdir: false,
      maxDbs: tableNames.length + 1,
      overlappingSync: false,
      ...tableOptions,
    });
    const table = (name: string) => this.#root.openDB<string, string>(name, tableOptions);
    this.tables = Object.fromEntries(tableNames.map((name) => [name, table(name)])) as unknown as Tables;
  }

  /** Writes all rows in one transaction, or none; resolves when they are on disk. Throws StoreError `unavailable`. */
  async commit(writes: readonly RowWrite[]): Promise<void> {
    const committed = this.#root.batch(() => {
      for (const { table, key, value } of writes) {
        if (value === undefined) table.remove(key);
        else table.put(key, value);
      }
    });
    this.#observeTurn();
    try {
      await committed;
    } catch (error) {
      const cause = await commitError(error);
      throw new StoreError('unavailable', `the commit failed: ${messageOf(cause)}`, cause);
    }
  }

  /**
   * LMDB's binding wraps what is written in one turn of the event loop into a batch of its own, whose promise nobody gets;
   * when the commit fails it is rejected too, and unseen it would end the process. It exists after the turn's immediates.
   */
  #observeTurn(): void {
    setImmediate(() => void this.#root.committed.then(ignore, ignore));
  }

  /** Runs the function while no other process can write to these files. */
  exclusively<T>(run: () => T): T {
    return this.#root.transactionSync(run);
  }

  async close(): Promise<void> {
    await this.#root.close();
  }
}

function ignore(): void {}

/** What LMDB said: the error of a failed commit comes as a promise that rejects. */
async function commitError(error: unknown): Promise<unknown> {
  const reason = (error as { commitError?: Promise<never> }).commitError;
  if (reason === undefined) return error;
  return reason.catch((cause: unknown) => cause);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
