import { createHash } from 'node:crypto';
import {
  brandAs,
  type CollectionName,
  type DocumentKey,
  type Epoch,
  type Lane,
  type Millis,
  type Seq,
} from '@tidemark/protocol';
import type { ChangeRef } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { decodeNumber, decodeOrdered, encodeNumber, encodeOrdered } from './ordered-text.ts';

/*
 * Keys of the tables, as strings of bytes. NUL ends a name, so that no name is a prefix of another one's rows;
 * 0x01 in its place is the first key after all of them.
 */

/** LMDB's own limit with 4 KiB pages; longer keys are refused before they reach it. */
const maxKeyBytes = 1978;
const indexedBytes = 160;

function bounded(key: string): string {
  if (key.length > maxKeyBytes) throw new StoreError('too_large', `a key of ${key.length} bytes cannot be stored`);
  return key;
}

function name(text: string): string {
  if (text === '' || text.includes('\u0000')) throw new StoreError('invalid', 'a name is empty or holds NUL');
  return encodeOrdered(text);
}

export interface KeyRange {
  readonly start: string;
  readonly end: string;
}

export function documentRowKey(collection: CollectionName, key: DocumentKey): string {
  if (key === '') throw new StoreError('invalid', 'the key of a document is empty');
  return bounded(`${name(collection)}\u0000${encodeOrdered(key)}`);
}

/** What all rows of a collection start with; the key's bytes follow. */
export function documentRowPrefix(collection: CollectionName): string {
  return `${name(collection)}\u0000`;
}

/** The rows of a collection's documents after a key. */
export function documentRange(collection: CollectionName, after?: DocumentKey): KeyRange {
  const prefix = name(collection);
  const start = after === undefined ? `${prefix}\u0000` : `${prefix}\u0000${encodeOrdered(after)}\u0000`;
  return { start, end: `${prefix}\u0001` };
}

/** The collection of a document's row. */
export function collectionOfRow(rowKey: string): CollectionName {
  return brandAs<CollectionName>(decodeOrdered(rowKey.slice(0, rowKey.indexOf('\u0000'))));
}

/** Row of a change's outcome: the author's length goes first, since neither part has a character that ends it. */
export function outcomeRowKey(ref: ChangeRef): string {
  const author = encodeOrdered(ref.author);
  return bounded(`${encodeNumber(author.length, 2)}${author}${encodeOrdered(ref.id)}`);
}

/** Rows of superseded outcomes by time; the rest of the key is the outcome's own. */
export function supersededRowKey(committedAt: Millis, outcomeKey: string): string {
  return bounded(timeRowKey(committedAt) + outcomeKey);
}

export function outcomeKeyOfSuperseded(rowKey: string): string {
  return rowKey.slice(timeBytes);
}

const timeBytes = 7;

export function timeRowKey(time: Millis): string {
  return encodeNumber(Math.max(0, Math.floor(time)), timeBytes);
}

export function timeOfRow(rowKey: string): Millis {
  return decodeNumber(rowKey, 0, timeBytes);
}

const seqBytes = 7;

export function lanePrefix(epoch: Epoch, lane: Lane): string {
  return encodeNumber(epoch, 4) + encodeNumber(lane, 2);
}

export function logRowKey(prefix: string, seq: Seq): string {
  return prefix + encodeNumber(seq, seqBytes);
}

export function seqOfRow(rowKey: string): Seq {
  return brandAs<Seq>(decodeNumber(rowKey, rowKey.length - seqBytes, rowKey.length));
}

/** All entries of a lane after a seq. */
export function logRange(prefix: string, after: Seq): KeyRange {
  return { start: logRowKey(prefix, brandAs<Seq>(after + 1)), end: `${prefix}\u00ff` };
}

/** Rows of one index. */
export function indexPrefix(collection: CollectionName, path: string): string {
  return `${name(collection)}\u0000${shortened(path)}`;
}

/** Where the documents with one value stand, in the order of their keys; `lookupKey` is RQL's text of the value. */
export function indexValuePrefix(prefix: string, lookupKey: string): string {
  return prefix + shortened(lookupKey);
}

/** Length and bytes; a long text is cut and made distinct by its hash (a collision costs a look, the predicate decides). */
function shortened(text: string): string {
  const bytes = encodeOrdered(text);
  if (bytes.length <= indexedBytes) return encodeNumber(bytes.length, 1) + bytes;
  const hash = createHash('sha256').update(bytes, 'latin1').digest('binary');
  return encodeNumber(0xff, 1) + bytes.slice(0, indexedBytes) + hash;
}
