import { randomUUID } from 'node:crypto';
import { type Document, documentKey, type Entry, type Json, type JsonObject } from '@tidemark/protocol';
import type { ChangeRef, RecordedOutcome } from '../port.ts';
import { fromBson, toBson } from './bson-values.ts';
import type { EntryRow, LogRow, SupersededRow, UndoRow } from './database.ts';
import { fromBsonId, toBsonId } from './document-ids.ts';
import { entryRowId, isEntryRowId, supersededRowId } from './log-ids.ts';
import { isSameJson } from './same-json.ts';
import { setField } from './set-field.ts';

/** One text for a change; the length keeps authors and ids apart, whatever they are made of. */
export function changeKey({ author, id }: ChangeRef): string {
  return `${author.length}:${author}${id}`;
}

export function entryRow(entry: Entry): EntryRow {
  const { epoch, lane, seq, author, id, operation, collection, timestamp, committedAt } = entry;
  return {
    _id: entryRowId(epoch, lane, seq),
    ...{ epoch, lane, seq, change: changeKey(entry), author, id, operation, collection },
    documentId: toBsonId(entry.documentId),
    ...(entry.origin !== undefined && { origin: entry.origin }),
    ...dataOf(entry),
    ...(entry.unset && { unset: entry.unset }),
    ...imagesOf(entry),
    timestamp,
    committedAt,
    ...(entry.emitTo && { emitTo: entry.emitTo }),
  };
}

/** The values of an update stand in its after image already. */
function dataOf(entry: Entry): Pick<EntryRow, 'fields' | 'data'> {
  const { data, after } = entry;
  if (data === undefined) return {};
  const names = Object.keys(data);
  if (after && names.every((name) => isSameJson(data[name], after[name]))) return { fields: names };
  return { data: toBson(data) as Record<string, unknown> };
}

function imagesOf({ before, after }: Entry): Pick<EntryRow, 'before' | 'after' | 'undo'> {
  return before && after
    ? { after: imageOf(after), undo: undoOf(before, after) }
    : { before: imageOf(before), after: imageOf(after) };
}

function undoOf(before: Document, after: Document): UndoRow {
  const changed: Record<string, unknown> = {};
  for (const name in before) {
    const value = before[name] as Json;
    if (!isSameJson(value, after[name])) setField(changed, name, toBson(value));
  }
  return { changed, added: Object.keys(after).filter((name) => !Object.hasOwn(before, name)) };
}

function beforeOf(row: EntryRow, after: Document | null): Document | null {
  if (!row.undo || !after) return fromBson(row.before ?? null) as Document | null;
  const before: Record<string, Json> = { ...after };
  for (const name of row.undo.added) delete before[name];
  for (const name in row.undo.changed) setField(before, name, fromBson(row.undo.changed[name]));
  return before as unknown as Document;
}

function imageOf(document: Document | null): Record<string, unknown> | null {
  return document && (toBson(document as JsonObject) as Record<string, unknown>);
}

/** The entry in a row; undefined when the row is not one that this version writes. */
export function readEntryRow(row: LogRow): Entry | undefined {
  if (!('seq' in row)) return undefined;
  const documentId = fromBsonId(row.documentId);
  if (documentId === undefined) return undefined;
  const { epoch, lane, seq, author, id, operation, collection, timestamp, committedAt } = row;
  const after = fromBson(row.after) as Document | null;
  const data = readData(row, after);
  return {
    ...{ epoch, lane, seq, author, id },
    ...(row.origin !== undefined && { origin: row.origin }),
    ...{ operation, collection, documentId, key: documentKey(documentId) },
    ...(data && { data }),
    ...(row.unset && { unset: row.unset }),
    before: beforeOf(row, after),
    after,
    ...{ timestamp, committedAt },
    ...(row.emitTo && { emitTo: row.emitTo }),
  };
}

function readData(row: EntryRow, after: Document | null): JsonObject | undefined {
  if (row.data) return fromBson(row.data) as JsonObject;
  if (!row.fields || !after) return undefined;
  const data: Record<string, Json> = {};
  for (const name of row.fields) data[name] = after[name] as Json;
  return data;
}

export function supersededRow(outcome: RecordedOutcome): SupersededRow {
  const { author, id, collection, timestamp, committedAt } = outcome;
  return {
    _id: supersededRowId(committedAt, randomUUID()),
    change: changeKey(outcome),
    ...{ author, id },
    ...{ collection, documentId: toBsonId(outcome.documentId), timestamp, committedAt },
  };
}

/** What `readOutcomeRow` needs of a row: no images. */
export const outcomeProjection = {
  author: 1,
  id: 1,
  collection: 1,
  documentId: 1,
  timestamp: 1,
  committedAt: 1,
  lane: 1,
  seq: 1,
} as const;

export function readOutcomeRow(row: LogRow): RecordedOutcome | undefined {
  const documentId = fromBsonId(row.documentId);
  if (documentId === undefined) return undefined;
  const { author, id, collection, timestamp, committedAt } = row;
  const outcome = { author, id, collection, documentId, timestamp, committedAt };
  if (!isEntryRowId(row._id)) return { ...outcome, kind: 'superseded' };
  return 'seq' in row ? { ...outcome, kind: 'applied', lane: row.lane, seq: row.seq } : undefined;
}
