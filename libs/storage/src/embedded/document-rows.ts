import type { CollectionName, DocumentKey } from '@tidemark/protocol';
import { readRow } from './committer.ts';
import type { Table, Tables } from './environment.ts';
import { documentRange, documentRowPrefix } from './keys.ts';
import { encodeOrdered } from './ordered-text.ts';

/**
 * Rows of documents (and tombstones) in the order of their keys, each as it is at the moment when it is handed out.
 * An iteration goes on after the last row of the one before: leave the loop to let others work, iterate again to continue.
 */
export interface DocumentRows {
  [Symbol.iterator](): Iterator<string>;
}

export interface RowsStart {
  readonly collection: CollectionName;
  readonly after?: DocumentKey | undefined;
}

/** All rows of the collection. */
export function scannedRows(tables: Tables, from: RowsStart): DocumentRows {
  const { end, ...range } = documentRange(from.collection, from.after);
  let start = range.start;
  return {
    *[Symbol.iterator]() {
      for (const { key, value } of tables.documents.getRange({ start, end })) {
        start = `${key}\u0000`;
        yield value;
      }
    },
  };
}

/** The rows that an index holds under one of the value prefixes. */
export function indexedRows(tables: Tables, from: RowsStart, valuePrefixes: readonly string[]): DocumentRows {
  const rows = rowsOf(tables, documentRowPrefix(from.collection), mergedKeys(tables.index, valuePrefixes, from.after));
  // No cursor is open between two rows, so the rows go on where they were: without `return` a loop that ends early ends nothing.
  return { [Symbol.iterator]: () => ({ next: () => rows.next() }) };
}

function* rowsOf(tables: Tables, prefix: string, keys: Iterable<string>): Generator<string> {
  for (const key of keys) {
    const row = readRow(tables.documents, prefix + key);
    if (row !== undefined) yield row;
  }
}

/** About how many keys are read at a time, over all lists. */
const stepKeys = 2_048;

/**
 * Keys after one, in order, each once, of several sorted lists of index rows. A step reads all lists up to the same key at
 * the same moment: a document that moves from one list to another meanwhile is in one of them, whichever moment it is.
 */
function* mergedKeys(index: Table, prefixes: readonly string[], from: DocumentKey | undefined): Generator<string> {
  let after = from === undefined ? undefined : encodeOrdered(from);
  for (;;) {
    const { keys, horizon } = readStep(prefixes.map((prefix) => new KeyList(index, prefix, after)));
    yield* keys;
    if (horizon === undefined) return;
    after = horizon;
  }
}

/** The keys up to the horizon, beyond which some list was not read; without one all lists are at their end. */
function readStep(lists: readonly KeyList[]): {
  readonly keys: readonly string[];
  readonly horizon: string | undefined;
} {
  const chunk = Math.max(4, Math.floor(stepKeys / lists.length));
  for (const list of lists) list.read(chunk);
  let count = lists.reduce((sum, list) => sum + list.keys.length, 0);
  let shortest = shortestOf(lists);
  while (shortest && count < stepKeys) {
    count += shortest.read(stepKeys - count);
    shortest = shortestOf(lists);
  }
  const horizon = shortest?.keys.at(-1);
  const keys = lists.flatMap((list) => list.keys).filter((key) => horizon === undefined || key <= horizon);
  return { keys: [...new Set(keys)].toSorted(byByte), horizon };
}

/** Of the lists that go on, the one that was read least far. */
function shortestOf(lists: readonly KeyList[]): KeyList | undefined {
  let shortest: KeyList | undefined;
  for (const list of lists) {
    if (!list.isAtEnd && (!shortest || list.last < shortest.last)) shortest = list;
  }
  return shortest;
}

const byByte = (a: string, b: string) => (a < b ? -1 : 1);

/** The keys under one prefix. */
class KeyList {
  readonly keys: string[] = [];
  isAtEnd = false;
  readonly #index: Table;
  readonly #prefix: string;
  #start: string;

  constructor(index: Table, prefix: string, after: string | undefined) {
    this.#index = index;
    this.#prefix = prefix;
    this.#start = after === undefined ? prefix : `${prefix}${after}\u0000`;
  }

  get last(): string {
    return this.keys.at(-1) ?? '';
  }

  /** Reads on; the number of keys that were read. */
  read(limit: number): number {
    const rows = Array.from(this.#index.getKeys({ start: this.#start, end: `${this.#prefix}\u00ff`, limit }));
    for (const row of rows) this.keys.push(row.slice(this.#prefix.length));
    this.isAtEnd = rows.length < limit;
    this.#start = `${this.#prefix}${this.last}\u0000`;
    return rows.length;
  }
}
