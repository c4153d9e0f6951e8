import {
  type Document,
  type FieldVersions,
  internalPrefix,
  type Json,
  type JsonObject,
  metadataFields,
  type UserId,
  type Version,
} from '@tidemark/protocol';
import type { StoredDocument } from '../port.ts';
import { fromBson, toBson } from './bson-values.ts';
import { type BsonId, fromBsonId, toBsonId } from './document-ids.ts';
import { isSameJson } from './same-json.ts';
import { setField } from './set-field.ts';

/** A document as it lies in the user's collection. */
export interface DocumentRow {
  readonly _id: BsonId;
  readonly [field: string]: unknown;
}

/** Field versions of a document that merges by field: per field its timestamp and, if known, its author. */
export const fieldVersionsField = '_sync_fields';

type FieldVersionsRow = Record<string, [timestamp: number, author?: UserId]>;

/** The document in a row; undefined when its `_id` is none that a client can name. */
export function readDocumentRow(row: DocumentRow): StoredDocument | undefined {
  const id = fromBsonId(row._id);
  if (id === undefined) return undefined;
  const document: Record<string, Json> = {};
  for (const name in row) {
    if (name.startsWith(internalPrefix)) continue;
    const value = metadataFields.has(name) ? readMetadata(name, row[name]) : fromBson(row[name]);
    if (value !== undefined) setField(document, name, value);
  }
  document._id = id as Json;
  const fieldVersions = readFieldVersions(row[fieldVersionsField]);
  return { kind: 'document', document: document as unknown as Document, ...(fieldVersions && { fieldVersions }) };
}

/** A user's own data may use our names for other things: what is not of our type counts as missing. */
function readMetadata(name: string, value: unknown): Json | undefined {
  if (name === '_id') return null;
  if (name === '_updated_by') return typeof value === 'string' ? value : undefined;
  const number = value instanceof Date ? value.getTime() : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function readFieldVersions(value: unknown): FieldVersions | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const versions: Record<string, Version> = {};
  for (const [name, version] of Object.entries(value as FieldVersionsRow)) {
    versions[name] = { timestamp: version[0], author: version[1] };
  }
  return versions;
}

function fieldVersionsRow(versions: FieldVersions): FieldVersionsRow {
  const row: FieldVersionsRow = {};
  for (const name in versions) {
    const version = versions[name];
    if (version) row[name] = version.author === undefined ? [version.timestamp] : [version.timestamp, version.author];
  }
  return row;
}

/** The row of a document that is written whole. */
export function documentRow(state: StoredDocument): DocumentRow {
  const fields = toBson(state.document as JsonObject) as Record<string, unknown>;
  const row = { ...fields, _id: toBsonId(state.document._id) };
  return state.fieldVersions ? { ...row, [fieldVersionsField]: fieldVersionsRow(state.fieldVersions) } : row;
}

/** What a write changes in a stored row. Fields that stay are not mentioned, so that they keep their BSON types. */
export interface RowChange {
  readonly $set?: Record<string, unknown>;
  readonly $unset?: Record<string, true>;
}

/** Undefined when the change cannot be said in update operators: the row is then written whole. */
export function documentChange(stored: StoredDocument, next: StoredDocument): RowChange | undefined {
  const set: Record<string, unknown> = {};
  const unset: Record<string, true> = {};
  for (const name in next.document) {
    const value = next.document[name] as Json;
    if (name !== '_id' && !isSameJson(stored.document[name], value)) set[name] = toBson(value);
  }
  for (const name in stored.document) if (!Object.hasOwn(next.document, name)) unset[name] = true;
  if (next.fieldVersions) set[fieldVersionsField] = fieldVersionsRow(next.fieldVersions);
  else if (stored.fieldVersions) unset[fieldVersionsField] = true;
  if (![...Object.keys(set), ...Object.keys(unset)].every(isPlainName)) return undefined;
  return { ...(hasKeys(set) && { $set: set }), ...(hasKeys(unset) && { $unset: unset }) };
}

/** In an update a dot leads into the field, and a dollar starts an operator. */
const isPlainName = (name: string) => name !== '' && !name.includes('.') && !name.startsWith('$');

function hasKeys(value: object): boolean {
  for (const _ in value) return true;
  return false;
}
