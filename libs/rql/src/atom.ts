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
  | { readonly kind: 'document' | 'list'; readonly json: Json }
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
  if (isList(value)) return { kind: 'list', json: value };
  if (!isObject(value)) return INVALID;
  if (isWrapper(value)) return decodeWrapper(value);
  return { kind: 'document', json: value };
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
  const [type = '', another] = Object.keys(wrapper);
  const content = wrapper[type];
  if (another !== undefined || content === undefined) return INVALID;
  if (type !== '$date') return isTypedValue(wrapper) ? decodeTyped(type, content) : INVALID;
  const time = dateTime(content);
  return Math.abs(time) <= MAX_TIME ? { kind: 'date', value: time } : INVALID;
}

/** The content is known to fit its type. */
function decodeTyped(type: string, content: Json): Atom {
  const text = String(content).toLowerCase();
  switch (type) {
    case '$oid':
    case '$uuid':
      return { kind: type === '$oid' ? 'oid' : 'uuid', text };
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
  if (atom.kind === 'number') return `number:${exactText(atom.value)}`;
  if ('json' in atom) return JSON.stringify(normalForm(atom.json));
  if ('text' in atom) return `${atom.kind}:${atom.text}`;
  return 'value' in atom ? `${atom.kind}:${atom.value}` : atom.kind;
}

/** A value in the one form that it has in a tree. What is no valid value stays as it is, and what lies too deep is left out. */
export function normalForm(value: Json, depth = 0): Json {
  if (depth > MAX_STORED_DEPTH) return null;
  const inside = (member: Json): Json => normalForm(member, depth + 1);
  if (isList(value)) return value.map(inside);
  // Built without assignment: a field may be called __proto__.
  if (isDocument(value)) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inside(one)]));
  return normalize(value) ?? value;
}

/** The normal form of a value that holds no others; undefined when it is no valid one. */
export function normalize(value: Json): Json | undefined {
  const atom = decode(value);
  switch (atom.kind) {
    case 'null':
    case 'boolean':
    case 'string':
      return value;
    case 'number':
      return encodeNumber(atom.value);
    case 'date':
      return encodeDate(atom.value);
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
