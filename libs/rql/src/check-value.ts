import { isPlain } from '@tidemark/protocol/core';
import { isDocument, normalForm, normalize } from './atom.ts';
import { isList, type Json } from './json.ts';
import { MAX_ARGUMENT_DEPTH, MAX_LIST } from './limits.ts';

export type CheckedValue =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly reason: string };

/**
 * Turns what came from outside into a value in normal form, or says why it is none: only finite numbers, valid typed
 * values, plain objects without `$` keys, lists of at most 1,000 members without lists in them, depth at most 32.
 */
export function checkValue(value: unknown): CheckedValue {
  const reason = listFault(value) ?? faultOf(value, 1);
  return reason === undefined ? { ok: true, value: normalForm(value as Json) } : { ok: false, reason };
}

function listFault(value: unknown): string | undefined {
  if (!isList(value)) return undefined;
  if (value.length > MAX_LIST) return `a list of more than ${MAX_LIST} values`;
  return value.some(isList) ? 'a list inside a list' : undefined;
}

function faultOf(value: unknown, depth: number): string | undefined {
  if (depth > MAX_ARGUMENT_DEPTH) return `a value nested deeper than ${MAX_ARGUMENT_DEPTH}`;
  if (typeof value === 'number' && !Number.isFinite(value)) return `the number ${value}`;
  if (!isJson(value)) return `a value of type ${typeof value}`;
  if (isList(value)) return firstFault(value, depth);
  if (!isDocument(value)) return normalize(value) === undefined ? 'a typed value that is not valid' : undefined;
  const isTyped = Object.keys(value).some((name) => name.startsWith('$'));
  return isTyped ? 'a document with a field name that starts with $' : firstFault(Object.values(value), depth);
}

function firstFault(members: readonly unknown[], depth: number): string | undefined {
  for (const member of members) {
    const fault = faultOf(member, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** As far as can be seen without looking inside. */
function isJson(value: unknown): value is Json {
  if (typeof value !== 'object') return ['string', 'number', 'boolean'].includes(typeof value);
  return value === null || isList(value) || isPlain(value);
}
