import { asLong, type Exact, exactText, parseDecimal, parseLong } from './decimal.ts';
import { isList, isObject, type Json, type JsonObject, ownProperty } from './json.ts';

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
const OID = /^[0-9a-f]{24}$/i;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const DATE = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?))?$/;
const MAX_DATE = 8.64e15;
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
  const keys = Object.keys(wrapper);
  const [type = ''] = keys;
  const content = wrapper[type];
  if (keys.length !== 1 || content === undefined) return INVALID;
  return decodeTyped(type, content) ?? INVALID;
}

const NUMBERS: Readonly<Record<string, (text: string) => Exact | undefined>> = {
  $numberInt: parseLong,
  $numberLong: parseLong,
  $numberDecimal: parseDecimal,
  $numberDouble: parseDouble,
};

function decodeTyped(type: string, content: Json): Atom | undefined {
  if (type === '$date') return decodeDate(content);
  if (type === '$binary') return decodeBinary(content);
  if (typeof content !== 'string') return undefined;
  if (type === '$oid') return OID.test(content) ? { kind: 'oid', text: content.toLowerCase() } : undefined;
  if (type === '$uuid') return UUID.test(content) ? uuidOf(content.replaceAll('-', '').toLowerCase()) : undefined;
  const value = ownProperty(NUMBERS, type)?.(content);
  return value === undefined ? undefined : { kind: 'number', value };
}

function parseDouble(text: string): number | undefined {
  const value = Number(text);
  if (Number.isNaN(value)) return text === 'NaN' ? value : undefined;
  return text.trim() === text && text !== '' ? value : undefined;
}

function decodeDate(content: Json): Atom | undefined {
  const time = milliseconds(content);
  return time !== undefined && Number.isInteger(time) && Math.abs(time) <= MAX_DATE
    ? { kind: 'date', value: time + 0 }
    : undefined;
}

function milliseconds(content: Json): number | undefined {
  if (typeof content === 'number') return content;
  if (typeof content === 'string') return DATE.test(content) ? Date.parse(content) : undefined;
  if (!isObject(content)) return undefined;
  const { $numberLong: long } = content;
  const value = typeof long === 'string' ? parseLong(long) : undefined;
  return typeof value === 'number' ? value : undefined;
}

function decodeBinary(content: Json): Atom | undefined {
  if (!isObject(content)) return undefined;
  const { base64, subType } = content;
  if (typeof base64 !== 'string' || typeof subType !== 'string') return undefined;
  if (!BASE64.test(base64) || !/^[0-9a-f]{1,2}$/i.test(subType)) return undefined;
  const bytes = base64.replace(/=+$/, '');
  if (bytes.length % 4 === 1) return undefined;
  const type = subType.toLowerCase().padStart(2, '0');
  // 16 bytes are 22 characters of base64: subtype 4 of that size is what `{$uuid}` abbreviates.
  if (type === '04' && bytes.length === 22) return uuidOf(hexOf(bytes));
  return { kind: 'binary', text: `${type}:${bytes}${'='.repeat(-bytes.length & 3)}` };
}

function hexOf(base64: string): string {
  return [...atob(base64)].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

function uuidOf(hex: string): Atom {
  return { kind: 'uuid', text: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') };
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
