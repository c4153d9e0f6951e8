import { dateTime, isTypedValue } from '@tidemark/protocol/core';
import { asLong, decimal, type Exact, exactText, integer } from './decimal.ts';
import { isList, isObject, type Json, type JsonObject } from './json.ts';

/**
 * A value as it is compared: kind and content, whatever form of Extended JSON it came in. `invalid` is a wrapper that
 * holds no such value, or one of an unknown type: it equals nothing.
 */
export type Atom =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly value: Exact }
  | { readonly kind: 'date'; readonly value: number }
  | { readonly kind: 'string' | 'oid' | 'uuid' | 'binary'; readonly text: string }
  | { readonly kind: 'document'; readonly document: JsonObject }
  | { readonly kind: 'list'; readonly list: readonly Json[] }
  | { readonly kind: 'invalid' };

const NULL: Atom = { kind: 'null' };
const INVALID: Atom = { kind: 'invalid' };
/** The last time of the calendar, in ms. */
const MAX_TIME = 8.64e15;
/** MongoDB stores nothing deeper; what is, compares by its upper levels. */
const MAX_STORED_DEPTH = 100;

/** A missing field is null. */
export function decode(value: Json | undefined): Atom {
  switch (typeof value) {
    case 'string':
      return { kind: 'string', text: value };
    case 'number':
      return { kind: 'number', value };
    case 'boolean':
      return { kind: 'boolean', value };
    case 'undefined':
      return NULL;
    default:
      return decodeObject(value);
  }
}

function decodeObject(value: Json): Atom {
  if (value === null) return NULL;
  if (isList(value)) return { kind: 'list', list: value };
  if (!isObject(value)) return INVALID;
  if (isWrapper(value)) return decodeWrapper(value);
  return { kind: 'document', document: value };
}

/** Whether the first key starts with `$`: a typed value, not an embedded document. */
export function isWrapper(value: JsonObject): boolean {
  for (const key in value) return key.charCodeAt(0) === 36;
  return false;
}

/** Whether paths lead on into the value. */
export function isDocument(value: Json | undefined): value is JsonObject {
  return isObject(value) && !isWrapper(value);
}

function decodeWrapper(wrapper: JsonObject): Atom {
  if (!isTypedValue(wrapper)) return INVALID;
  const [entry] = Object.entries(wrapper);
  return entry ? decodeTyped(...entry) : INVALID;
}

/** The content is known to fit its type. */
function decodeTyped(type: string, content: Json): Atom {
  const text = String(content).toLowerCase();
  switch (type) {
    case '$oid':
      return { kind: 'oid', text };
    case '$uuid':
      return { kind: 'uuid', text };
    case '$date':
      return decodeDate(dateTime(content));
    case '$binary':
      return decodeBinary(content as { base64: string; subType: string });
    case '$numberDecimal':
      return { kind: 'number', value: decimal(String(content)) };
    case '$numberDouble':
      return { kind: 'number', value: Number(content) };
    default:
      return { kind: 'number', value: integer(BigInt(text)) };
  }
}

function decodeDate(value: number): Atom {
  return Math.abs(value) <= MAX_TIME ? { kind: 'date', value } : INVALID;
}

function decodeBinary({ base64, subType }: { base64: string; subType: string }): Atom {
  const bytes = base64.replace(/=+$/, '');
  const type = subType.toLowerCase().padStart(2, '0');
  // 16 bytes are 22 characters of base64: subtype 4 of that size is what `{$uuid}` abbreviates.
  if (type === '04' && bytes.length === 22) return { kind: 'uuid', text: uuidOf(bytes) };
  return { kind: 'binary', text: `${type}:${bytes}${'='.repeat(-bytes.length & 3)}` };
}

function uuidOf(base64: string): string {
  const hex = [...atob(base64)].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** One text for equal atoms, different for different ones, over all kinds. */
export function atomKey(atom: Atom): string {
  return keyAtDepth(atom, 0);
}

function keyAtDepth(atom: Atom, depth: number): string {
  switch (atom.kind) {
    case 'null':
    case 'invalid':
      return atom.kind;
    case 'number':
      return `number:${exactText(atom.value)}`;
    case 'document':
      return `document:${Object.entries(atom.document)
        .map(([name, value]) => framed(name) + nestedKey(value, depth))
        .join('')}`;
    case 'list':
      return `list:${atom.list.map((item) => nestedKey(item, depth)).join('')}`;
    default:
      return `${atom.kind}:${'text' in atom ? atom.text : atom.value}`;
  }
}

function nestedKey(value: Json, depth: number): string {
  return depth < MAX_STORED_DEPTH ? framed(keyAtDepth(decode(value), depth + 1)) : '';
}

/** With its length in front a text needs no escapes, which would double from level to level. */
function framed(text: string): string {
  return `${text.length}:${text}`;
}

/** The one form that a value has in a tree; undefined when it is no valid value, or holds others (see `checkValue`). */
export function normalize(value: Json): Json | undefined {
  const atom = decode(value);
  switch (atom.kind) {
    case 'null':
      return null;
    case 'boolean':
      return atom.value;
    case 'number':
      return encodeNumber(atom.value);
    case 'date':
      return encodeDate(atom.value);
    case 'string':
      return atom.text;
    case 'oid':
    case 'uuid':
      return { [`$${atom.kind}`]: atom.text };
    case 'binary':
      return { $binary: { base64: atom.text.slice(3), subType: atom.text.slice(0, 2) } };
    default:
      return undefined;
  }
}

/** A plain number where a double holds it, `$numberLong` for integers of 64 bits, else `$numberDecimal`. */
export function encodeNumber(value: Exact): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : { $numberDouble: String(value) };
  const long = asLong(value);
  return long === undefined ? { $numberDecimal: exactText(value) } : { $numberLong: String(long) };
}

export function encodeDate(time: number): Json {
  return { $date: new Date(time).toISOString() };
}
