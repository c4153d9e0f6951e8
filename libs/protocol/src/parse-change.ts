import type { Change, Operation } from './change.ts';
import { clientFields, documentFault, fieldNameFault, metadataFields } from './document.ts';
import { documentKey, parseDocumentId } from './document-id.ts';
import { SyncError } from './errors.ts';
import { brandAs, type ChangeId, type CollectionName, type Millis } from './ids.ts';
import { isObject, type JsonObject } from './json.ts';
import * as limits from './limits.ts';
import { type ChangeMessage, changeMessage } from './messages/change.ts';

const reservedCollection = /^(tidemark_|_sync_|system\.)/;
const impossibleCollection = /[$\0]|^\.|\.$/;

export interface ParseChangeOptions {
  /** Makes the id of a change that came without one. */
  readonly newId: () => string;
  /** In `sync:changeBatch` any unknown word means update; elsewhere only `upsert` does. */
  readonly lenientOperation: boolean;
}

/**
 * A change from the outside, checked and with one name for everything.
 * Throws SyncError `invalid_message`, `invalid_document` or `forbidden` (reserved collection).
 */
export function parseChange(input: unknown, options: ParseChangeOptions): Change {
  const message = parseShape(input);
  const collection = parseCollectionName(message.collection ?? message.collectionName);
  const documentId = parseDocumentId(message.documentId);
  if (documentId === undefined) throw idError(message.documentId);
  const operation = parseOperation(message.operation, options.lenientOperation);
  const data = operation === 'delete' ? {} : parseData(message, documentKey(documentId));
  const timestamp = message.timestamp ?? ownTimestamp(message.data);
  return {
    id: parseId(message.id ?? message.patchId ?? options.newId()),
    operation,
    collection,
    documentId,
    key: documentKey(documentId),
    data,
    unset: operation === 'update' ? parseUnset(message, data) : [],
    timestamp: timestamp === undefined ? undefined : Math.floor(timestamp),
    version: message.version ?? undefined,
  };
}

/** A store may write every broken character alike, and take a change for one that it knows. */
function parseId(id: string): ChangeId {
  if (!id.isWellFormed()) throw new SyncError('invalid_message', 'the id of a change must be well-formed Unicode');
  return brandAs<ChangeId>(id);
}

/** The id that an answer to a change names, as far as the change can be read. */
export function statedChangeId(input: unknown): ChangeId | undefined {
  if (!isObject(input)) return undefined;
  const id = input.id ?? input.patchId;
  return typeof id === 'string' && id.length > 0 && id.length <= limits.changeId ? brandAs<ChangeId>(id) : undefined;
}

/** A collection that clients may name. Throws `invalid_message` or `forbidden`. */
export function parseCollectionName(value: string | null | undefined): CollectionName {
  if (value === undefined || value === null || value === '') throw missingPlace();
  if (value.length > limits.collectionName || impossibleCollection.test(value) || !value.isWellFormed()) {
    throw new SyncError('invalid_message', `not the name of a collection: ${JSON.stringify(value.slice(0, 40))}`);
  }
  if (reservedCollection.test(value)) throw new SyncError('forbidden', `the collection ${value} is reserved`);
  return brandAs<CollectionName>(value);
}

function parseShape(input: unknown): ChangeMessage {
  const parsed = changeMessage.safeParse(input);
  if (parsed.success) return parsed.data;
  if (isObject(input) && (isMissing(input.collection ?? input.collectionName) || isMissing(input.documentId)))
    throw missingPlace();
  const issue = parsed.error.issues[0];
  const place = issue?.path.length ? `${issue.path.join('.')}: ` : '';
  throw new SyncError('invalid_message', `not a change: ${place}${issue?.message ?? 'malformed'}`);
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** Old clients know this error by its words. */
function missingPlace(): SyncError {
  return new SyncError('invalid_message', 'Missing collection or documentId');
}

function idError(value: unknown): SyncError {
  if (isMissing(value)) return missingPlace();
  return new SyncError(
    'invalid_message',
    `documentId must be a string of at most ${limits.documentIdBytes} bytes, {"$oid"} or {"$uuid"}`,
  );
}

function parseOperation(word: string, lenient: boolean): Operation {
  if (word === 'insert' || word === 'update' || word === 'delete') return word;
  if (word === 'upsert' || lenient) return 'update';
  throw new SyncError(
    'invalid_message',
    `operation must be insert, update or delete, not ${JSON.stringify(word.slice(0, 40))}`,
  );
}

function parseData(message: ChangeMessage, key: string): JsonObject {
  const data = message.data ?? {};
  if (!isObject(data)) throw new SyncError('invalid_document', 'data must be an object');
  if (data._id !== undefined) {
    const own = parseDocumentId(data._id);
    if (own === undefined || documentKey(own) !== key)
      throw new SyncError('invalid_document', 'data._id differs from documentId');
  }
  const fault = documentFault(data);
  if (fault !== undefined) throw new SyncError('invalid_document', fault);
  return clientFields(data as JsonObject);
}

function parseUnset(message: ChangeMessage, data: JsonObject): readonly string[] {
  const names = message.unset ?? [];
  for (const name of names) {
    const fault = fieldNameFault(name);
    if (fault !== undefined) throw new SyncError('invalid_document', `unset: ${fault}`);
    if (Object.hasOwn(data, name))
      throw new SyncError('invalid_document', `the field ${JSON.stringify(name)} is both in data and in unset`);
  }
  return [...new Set(names)].filter((name) => !metadataFields.has(name));
}

function ownTimestamp(data: unknown): Millis | undefined {
  const value = isObject(data) ? data.sync_updated_at : undefined;
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
