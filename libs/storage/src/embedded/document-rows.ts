import type { CollectionName, DocumentKey } from '@tidemark/protocol';
import { readRow } from './committer.ts';
import type { Table, Tables } from './environment.ts';
import { documentRange, documentRowPrefix } from './keys.ts';
import { encodeOrdered } from './ordered-text.ts';

/**
 * Rows of documents (and tombstones) in the order of their keys. Each iteration goes on after the last row handed out,
 * on the state of that moment: leave the loop to let others work, iterate again to continue.
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
  const prefix = documentRowPrefix(from.collection);
  let after = from.after === undefined ? undefined : encodeOrdered(from.after);
  return {
    *[Symbol.iterator]() {
      for (const key of mergedKeys(tables.index, valuePrefixes, after)) {
        after = key;
        const row = readRow(tables.documents, prefix + key);
        if (row !== undefined) yield row;
      }
    },
  };
}

const chunk = 128;

/** Keys after one, in order, each once, of several sorted lists of index rows. */
function* mergedKeys(index: Table, prefixes: readonly string[], from: string | undefined): Generator<string> {
  let lists = prefixes;
  let after = from;
  while (lists.length > 0) {
    const heads = lists.map((prefix) => ({ prefix, keys: keysAfter(index, prefix, after) }));
    const unread = heads.filter(({ keys }) => keys.length === chunk);
    // Beyond the last key of a list that goes on, that list may hold keys which were not read yet.
    const horizon = smallest(unread.map(({ keys }) => keys.at(-1)));
    const keys = new Set(heads.flatMap((head) => head.keys));
    const ready = [...keys].filter((key) => horizon === undefined || key <= horizon).toSorted(byByte);
    yield* ready;
    after = horizon;
    lists =
      horizon === undefined ? [] : heads.filter(({ keys: read }) => goesOn(read, horizon)).map((head) => head.prefix);
  }
}

function keysAfter(index: Table, prefix: string, after: string | undefined): readonly string[] {
  const start = after === undefined ? prefix : `${prefix}${after}\u0000`;
  const rows = index.getKeys({ start, end: `${prefix}\u00ff`, limit: chunk });
  return Array.from(rows, (row) => row.slice(prefix.length));
}

/** Has the list keys beyond the horizon, or may it have? */
function goesOn(keys: readonly string[], horizon: string): boolean {
  const last = keys.at(-1);
  return last !== undefined && (keys.length === chunk || last > horizon);
}

function smallest(keys: readonly (string | undefined)[]): string | undefined {
  return keys.filter((key) => key !== undefined).toSorted(byByte)[0];
}

const byByte = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
