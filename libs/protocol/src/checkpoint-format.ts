import { ByteReader, MalformedBytes, maxVarintBytes, writeVarint } from './byte-codec.ts';
import type { Checkpoint, ListingCursor } from './checkpoint.ts';
import { parseDocumentKey } from './document-id.ts';
import { brandAs, type CollectionName, type DocumentKey, type Epoch, type HistoryId, type Seq } from './ids.ts';
import { parseCollectionName } from './parse-change.ts';

/*
 * A checkpoint as bytes, since its token travels with every `sync:changes`:
 *   flags; history id: 16 bytes of a UUID, or a text; epoch; number of lanes; a seq for each; with `hasWhole` as many again;
 *   with `hasListing` the collection, and with `hasAfter` the key of the last document; with `hasRights` 8 bytes.
 * Numbers are varints, texts are their length in bytes and UTF-8.
 */
const hasUuid = 1;
const hasWhole = 2;
const hasListing = 4;
const hasAfter = 8;
const hasRights = 16;
const allFlags = hasUuid | hasWhole | hasListing | hasAfter | hasRights;

const maxLanes = 1024;
const maxTextBytes = 2048;
const rightsBytes = 8;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function encodedCheckpoint(checkpoint: Checkpoint): Buffer {
  const { historyId, position, wholeThrough, listing, rights } = checkpoint;
  const isUuid = uuid.test(historyId);
  const bytes = Buffer.allocUnsafe(sizeLimit(checkpoint));
  bytes[0] = flagsOf(checkpoint, isUuid);
  let at = isUuid ? writeUuid(bytes, 1, historyId) : writeText(bytes, 1, historyId);
  at = writeVarint(bytes, at, position.epoch);
  at = writeVarint(bytes, at, position.seqs.length);
  for (const seq of position.seqs) at = writeVarint(bytes, at, seq);
  for (const seq of wholeThrough ?? []) at = writeVarint(bytes, at, seq);
  if (listing !== undefined) at = writeText(bytes, at, listing.collection);
  if (listing?.after !== undefined) at = writeText(bytes, at, listing.after);
  if (rights !== undefined) at += bytes.write(rights, at, 'hex');
  return bytes.subarray(0, at);
}

/** Undefined when the bytes are not exactly what `encodedCheckpoint` makes. */
export function readCheckpoint(bytes: Uint8Array): Checkpoint | undefined {
  try {
    const reader = new ByteReader(bytes);
    const checkpoint = readFrom(reader);
    reader.end();
    return checkpoint;
  } catch (error) {
    if (error instanceof MalformedBytes) return undefined;
    throw error;
  }
}

function readFrom(reader: ByteReader): Checkpoint {
  const flags = reader.byte();
  if (flags > allFlags || ((flags & hasAfter) !== 0 && (flags & hasListing) === 0)) throw new MalformedBytes('flags');
  const historyId = flags & hasUuid ? readUuid(reader) : readHistoryText(reader);
  const epoch = atLeastOne(reader.varint());
  const lanes = atLeastOne(reader.varint(maxLanes));
  const seqs = readSeqs(reader, lanes);
  return {
    historyId: brandAs<HistoryId>(historyId),
    position: { epoch: brandAs<Epoch>(epoch), seqs },
    ...(flags & hasWhole && { wholeThrough: readSeqs(reader, lanes) }),
    ...(flags & hasListing && { listing: readListing(reader, (flags & hasAfter) !== 0) }),
    ...(flags & hasRights && { rights: Buffer.from(reader.take(rightsBytes)).toString('hex') }),
  };
}

function flagsOf({ wholeThrough, listing, rights }: Checkpoint, isUuid: boolean): number {
  return (
    (isUuid ? hasUuid : 0) |
    (wholeThrough ? hasWhole : 0) |
    (listing ? hasListing : 0) |
    (listing?.after !== undefined ? hasAfter : 0) |
    (rights !== undefined ? hasRights : 0)
  );
}

/** Room that is enough; a UTF-16 unit makes at most three bytes. */
function sizeLimit({ historyId, position, wholeThrough, listing }: Checkpoint): number {
  const numbers = 5 + position.seqs.length + (wholeThrough?.length ?? 0);
  const units = historyId.length + (listing?.collection.length ?? 0) + (listing?.after?.length ?? 0);
  return 1 + numbers * maxVarintBytes + units * 3 + rightsBytes;
}

function writeText(bytes: Buffer, offset: number, text: string): number {
  const start = writeVarint(bytes, offset, Buffer.byteLength(text));
  return start + bytes.write(text, start, 'utf8');
}

function readText(reader: ByteReader): string {
  const bytes = reader.take(reader.varint(maxTextBytes));
  const text = Buffer.from(bytes).toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(bytes)) throw new MalformedBytes('not UTF-8');
  return text;
}

/** A UUID has one form only: the short one. */
function readHistoryText(reader: ByteReader): string {
  const text = readText(reader);
  if (text === '' || uuid.test(text)) throw new MalformedBytes('not a history id');
  return text;
}

function writeUuid(bytes: Buffer, offset: number, text: string): number {
  return offset + bytes.write(text.replaceAll('-', ''), offset, 'hex');
}

function readUuid(reader: ByteReader): string {
  const hex = Buffer.from(reader.take(16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function readSeqs(reader: ByteReader, lanes: number): readonly Seq[] {
  return Array.from({ length: lanes }, () => brandAs<Seq>(reader.varint()));
}

/** Tokens are not signed, and a store can only be asked for what may be in it. */
function readListing(reader: ByteReader, withAfter: boolean): ListingCursor {
  const collection = readCollection(readText(reader));
  return { collection, after: withAfter ? readKey(readText(reader)) : undefined };
}

function readCollection(text: string): CollectionName {
  try {
    return parseCollectionName(text);
  } catch {
    throw new MalformedBytes('not a collection of clients');
  }
}

function readKey(text: string): DocumentKey {
  const key = parseDocumentKey(text);
  if (key === undefined) throw new MalformedBytes('not the key of a document');
  return key;
}

function atLeastOne(value: number): number {
  if (value < 1) throw new MalformedBytes('zero');
  return value;
}
