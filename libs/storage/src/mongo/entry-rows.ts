import { randomUUID } from 'node:crypto';
import { type Document, documentKey, type Entry, type Json, type JsonObject } from '@tidemark/protocol';
import type { ChangeRef, RecordedOutcome } from '../port.ts';
import { fromBson, toBson } from './bson-values.ts';
import type { EntryRow, LogRow, SupersededRow } from './database.ts';
import { fromBsonId, toBsonId } from './document-ids.ts';
import { entryRowId, isEntryRowId, supersededRowId } from './log-ids.ts';
import { isSameJson } from './same-json.ts';

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
    before: imageOf(entry.before),
    after: imageOf(entry.after),
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
    before: fromBson(row.before) as Document | null,
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
