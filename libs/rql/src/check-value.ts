import { isWrapper, normalize } from './atom.ts';
import { isList, isObject, type Json } from './json.ts';
import { MAX_ARGUMENT_DEPTH, MAX_LIST } from './limits.ts';

export type CheckedValue =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly reason: string };

/**
 * Turns what came from outside into a value in normal form, or says why it is none: only finite numbers, valid typed
 * values, plain objects without `$` keys, lists of at most 1,000 members without lists in them, depth at most 32.
 */
export function checkValue(value: unknown): CheckedValue {
  const reason = isList(value) ? listTrouble(value) : trouble(value, 1);
  if (reason !== undefined) return { ok: false, reason };
  const normal = normalize(value as Json);
  return normal === undefined ? { ok: false, reason: 'a typed value that is not valid' } : { ok: true, value: normal };
}

function listTrouble(list: readonly unknown[]): string | undefined {
  if (list.length > MAX_LIST) return `a list of more than ${MAX_LIST} values`;
  if (list.some(isList)) return 'a list inside a list';
  return firstTrouble(list, 2);
}

function trouble(value: unknown, depth: number): string | undefined {
  if (depth > MAX_ARGUMENT_DEPTH) return `a value nested deeper than ${MAX_ARGUMENT_DEPTH}`;
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `the number ${value}`;
  if (isList(value)) return firstTrouble(value, depth + 1);
  if (!isObject(value) || !isPlain(value)) return `a value of type ${typeof value}`;
  return objectTrouble(value, depth);
}

function objectTrouble(value: Readonly<Record<string, unknown>>, depth: number): string | undefined {
  // Whether a wrapper is valid is for `normalize` to say; what is inside one is shallow.
  const keys = Object.keys(value);
  if (isWrapper(value as Record<string, Json>)) return firstTrouble(Object.values(value), depth + 1);
  if (keys.some((key) => key.startsWith('$'))) return 'a document with a field name that starts with $';
  return firstTrouble(Object.values(value), depth + 1);
}

function firstTrouble(values: readonly unknown[], depth: number): string | undefined {
  for (const value of values) {
    const reason = trouble(value, depth);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  // An object from another realm (a test runner's, a frame's) is plain too: its prototype has no prototype itself.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
