import { isTypedValue } from './extended-json.ts';
import { brandAs, type DocumentKey } from './ids.ts';
import { isObject } from './json.ts';
import * as limits from './limits.ts';

/** A string, or one of the typed ids that a user's own documents may have. */
export type DocumentId = string | { readonly $oid: string } | { readonly $uuid: string };

/** The id in its canonical form (hex digits in lower case), or undefined when the value cannot be an id. */
export function parseDocumentId(value: unknown): DocumentId | undefined {
  if (typeof value === 'string') return isIdText(value) ? value : undefined;
  if (!isObject(value) || !isTypedValue(value)) return undefined;
  if (typeof value.$oid === 'string') return { $oid: value.$oid.toLowerCase() };
  if (typeof value.$uuid === 'string') return { $uuid: value.$uuid.toLowerCase() };
  return undefined;
}

function isIdText(value: string): boolean {
  if (value.length === 0 || value.length > limits.documentIdBytes || value.includes('\u0000')) return false;
  if (!value.isWellFormed()) return false;
  return value.length * 3 <= limits.documentIdBytes || new TextEncoder().encode(value).length <= limits.documentIdBytes;
}

/**
 * Canonical text of an id: equal ids give equal keys, and a string never equals a typed id whatever it looks like.
 * Typed ids start with NUL, which a string id cannot hold; a string is its own key.
 */
export function documentKey(id: DocumentId): DocumentKey {
  if (typeof id === 'string') return brandAs<DocumentKey>(id);
  return brandAs<DocumentKey>('$oid' in id ? `\u0000o${id.$oid}` : `\u0000u${id.$uuid}`);
}

/** The inverse of `documentKey`. */
export function documentIdOf(key: DocumentKey): DocumentId {
  if (!key.startsWith('\u0000')) return key;
  const text = key.slice(2);
  return key[1] === 'o' ? { $oid: text } : { $uuid: text };
}

/** The text as a key, or undefined when no id has it. */
export function parseDocumentKey(text: string): DocumentKey | undefined {
  const id = parseDocumentId(documentIdOf(brandAs<DocumentKey>(text)));
  const key = id === undefined ? undefined : documentKey(id);
  return key === text ? key : undefined;
}
