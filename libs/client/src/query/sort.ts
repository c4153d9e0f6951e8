import { type Document, documentKey, type Json } from '@tidemark/protocol/core';

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
  const left = rankOf(a);
  const right = rankOf(b);
  if (left.kind !== right.kind) return left.kind - right.kind;
  if (typeof left.value === 'string' && typeof right.value === 'string') return compareTexts(left.value, right.value);
  return Number(left.value) - Number(right.value);
}

interface Rank {
  readonly kind: number;
  readonly value: string | number | boolean;
}

function rankOf(value: Json | undefined): Rank {
  if (value === undefined || value === null) return { kind: 0, value: 0 };
  if (typeof value === 'boolean') return { kind: 1, value };
  if (typeof value === 'number') return { kind: 2, value };
  if (typeof value === 'string') return { kind: 4, value };
  return typedRank(value as Readonly<Record<string, Json>>) ?? { kind: 5, value: JSON.stringify(value) };
}

function typedRank(value: Readonly<Record<string, Json>>): Rank | undefined {
  const number = value.$numberDecimal ?? value.$numberLong ?? value.$numberInt ?? value.$numberDouble;
  if (typeof number === 'string') return { kind: 2, value: Number(number) };
  const date = value.$date;
  if (typeof date === 'string') return { kind: 3, value: Date.parse(date) };
  if (typeof date === 'number') return { kind: 3, value: date };
  if (typeof date !== 'object' || date === null) return undefined;
  return { kind: 3, value: Number((date as Readonly<Record<string, Json>>).$numberLong) };
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
