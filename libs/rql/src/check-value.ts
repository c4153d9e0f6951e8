import { isPlain } from '@tidemark/protocol/core';
import { isWrapper, normalize } from './atom.ts';
import { isList, isObject, type Json, type JsonObject } from './json.ts';
import { MAX_ARGUMENT_DEPTH, MAX_LIST } from './limits.ts';

export type CheckedValue =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly reason: string };

/**
 * Turns what came from outside into a value in normal form, or says why it is none: only finite numbers, valid typed
 * values, plain objects without `$` keys, lists of at most 1,000 members without lists in them, depth at most 32.
 */
export function checkValue(value: unknown): CheckedValue {
  try {
    if (isList(value) && value.length > MAX_LIST) refuse(`a list of more than ${MAX_LIST} values`);
    if (isList(value) && value.some(isList)) refuse('a list inside a list');
    return { ok: true, value: normalForm(value, 1) };
  } catch (error) {
    if (error instanceof TypeError) return { ok: false, reason: error.message };
    throw error;
  }
}

function refuse(reason: string): never {
  throw new TypeError(reason);
}

function normalForm(value: unknown, depth: number): Json {
  if (depth > MAX_ARGUMENT_DEPTH) refuse(`a value nested deeper than ${MAX_ARGUMENT_DEPTH}`);
  if (isList(value)) return Array.from(value, (member) => normalForm(member, depth + 1));
  if (typeof value === 'number' && !Number.isFinite(value)) refuse(`the number ${value}`);
  if (isObject(value) && isPlain(value) && !isWrapper(value)) return normalDocument(value, depth);
  if (!isValue(value)) refuse(`a value of type ${typeof value}`);
  const normal = normalize(value);
  return normal === undefined ? refuse('a typed value that is not valid') : normal;
}

function normalDocument(document: JsonObject, depth: number): Json {
  const entries = Object.entries(document).map(([name, value]) => {
    if (name.startsWith('$')) refuse('a document with a field name that starts with $');
    return [name, normalForm(value, depth + 1)];
  });
  // Built without assignment: a field may be called __proto__.
  return Object.fromEntries(entries);
}

function isValue(value: unknown): value is Json {
  return isObject(value) ? isPlain(value) : value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
