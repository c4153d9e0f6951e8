import type { DocumentId } from './document-id.ts';
import { isTypedValue } from './extended-json.ts';
import type { Millis, UserId } from './ids.ts';
import { isPlain, type Json, type JsonObject } from './json.ts';
import * as limits from './limits.ts';

/** A whole document as clients see it: the user's fields and the metadata. */
export type Document = JsonObject & {
  readonly _id: DocumentId;
  /** Timestamp of the winning write (ms). Missing on documents that were never written through Tidemark. */
  readonly sync_updated_at?: Millis;
  readonly _updated_by?: UserId;
  /** Seq of the entry that wrote this version. */
  readonly sync_version?: number;
};

/** Fields of a document that the server owns; a client's values for them are dropped. */
export const metadataFields: ReadonlySet<string> = new Set(['_id', 'sync_updated_at', '_updated_by', 'sync_version']);

/** Fields that start with it hold state of the server: closed to clients and never sent. */
export const internalPrefix = '_sync_';

/**
 * Why the value cannot be the fields of a document, as a sentence; undefined when it can.
 * Source of the rule: the wire contract, `Change`.
 */
export function documentFault(data: Readonly<Record<string, unknown>>): string | undefined {
  return fieldsFault(data, fieldNameFault, 1);
}

function fieldsFault(
  fields: Readonly<Record<string, unknown>>,
  nameFault: (name: string) => string | undefined,
  depth: number,
): string | undefined {
  for (const name in fields) {
    const fault = nameFault(name) ?? valueFault(fields[name], depth);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Why the text cannot be the name of a top-level field. */
export function fieldNameFault(name: string): string | undefined {
  if (name.includes('.')) return `the field name ${quote(name)} holds a dot`;
  if (name.startsWith(internalPrefix)) return `the field name ${quote(name)} is reserved`;
  return keyFault(name);
}

function keyFault(key: string): string | undefined {
  if (key.startsWith('$')) return `the key ${quote(key)} starts with $`;
  if (key === '') return 'a key is empty';
  if (key === '__proto__') return 'the key "__proto__" is reserved';
  if (key.includes('\u0000')) return 'a key holds NUL';
  if (!key.isWellFormed()) return 'a key is not well-formed Unicode';
  if (key.length > limits.fieldName) return `the key ${quote(key)} is longer than ${limits.fieldName} characters`;
  return undefined;
}

function valueFault(value: unknown, depth: number): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'a number is not finite';
  if (typeof value !== 'object' || value === null) return scalarFault(value);
  if (depth > limits.documentDepth) return `values are nested deeper than ${limits.documentDepth}`;
  if (Array.isArray(value)) return membersFault(value, depth + 1);
  if (!isPlain(value)) return 'a value is not JSON';
  const fields = value as Record<string, unknown>;
  return isTypedValue(fields) ? undefined : fieldsFault(fields, keyFault, depth + 1);
}

function scalarFault(value: unknown): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : 'a string is not well-formed Unicode';
  return value === null || typeof value === 'boolean' ? undefined : 'a value is not JSON';
}

function membersFault(values: readonly unknown[], depth: number): string | undefined {
  for (const value of values) {
    const fault = valueFault(value, depth);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const quote = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** The fields of `data` that a client may set: metadata is the server's. */
export function clientFields(data: JsonObject): Record<string, Json> {
  const fields: Record<string, Json> = {};
  for (const key in data) {
    const value = data[key];
    if (value !== undefined && !metadataFields.has(key)) fields[key] = value;
  }
  return fields;
}
