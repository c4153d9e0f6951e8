import { type Document, documentKey, type Json } from '@tidemark/protocol/core';
import { compareForSort } from '@tidemark/rql';

/** Upwards or downwards. */
export type SortDirection = 'asc' | 'desc';

export interface SortField {
  /** A field, or with dots a field of an embedded document. */
  readonly path: string;
  readonly direction: SortDirection;
}

export type Comparator = (a: Document, b: Document) => number;

/**
 * A total order: by the fields, then by id, so that equal values keep one order everywhere.
 * Kinds are ordered null (or missing), booleans, numbers, dates, strings, everything else.
 */
export function comparatorOf(fields: readonly SortField[]): Comparator {
  const steps = fields.map(({ path, direction }) => ({ path: path.split('.'), sign: direction === 'asc' ? 1 : -1 }));
  return (a, b) => {
    for (const { path, sign } of steps) {
      const order = compareValues(valueAt(a, path), valueAt(b, path));
      if (order !== 0) return order * sign;
    }
    return compareTexts(documentKey(a._id), documentKey(b._id));
  };
}

function valueAt(document: Document, path: readonly string[]): Json | undefined {
  let value: Json | undefined = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, Json>>)[name];
  }
  return value;
}

function compareValues(a: Json | undefined, b: Json | undefined): number {
  if (a === b) return 0;
  // The usual cases, without the cost of a rank for each comparison of a long sort.
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  return compareForSort(a, b);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
