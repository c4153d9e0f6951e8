import type {
  Document,
  DocumentId,
  Entry,
  Epoch,
  FieldVersions,
  JsonObject,
  Lane,
  Millis,
  Operation,
  Seq,
  SocketId,
  UserId,
} from '@tidemark/protocol';
import { type ChangeId, type CollectionName, documentKey } from '@tidemark/protocol';
import type { ChangeRef, RecordedOutcome, StoredState, Tombstone } from '../port.ts';
import { StoreError } from '../store-error.ts';

/** As MongoDB: what one adapter stores, the other one can. */
const maxDocumentCharacters = 16 * 1024 * 1024;

/**
 * The texts of documents by object: a document is turned into text once, for its own row, for the entry's after image
 * and for the next entry's before image; one that was read keeps the text that it was read from.
 */
export class DocumentTexts {
  readonly #texts = new WeakMap<Document, string>();

  of(document: Document): string {
    const known = this.#texts.get(document);
    if (known !== undefined) return known;
    const text = JSON.stringify(document);
    if (text.length > maxDocumentCharacters) throw new StoreError('too_large', 'a document is larger than 16 MiB');
    this.#texts.set(document, text);
    return text;
  }

  /** Parses a text and remembers it. */
  parse(text: string): Document {
    const document = JSON.parse(text) as Document;
    this.#texts.set(document, text);
    return document;
  }
}

/*
 * A row of the documents table is one of
 *   {document}                       the document as JSON
 *   {document} newline {versions}    with the versions of its fields
 *   ![timestamp, author, seq, deletedAt]
 * JSON text has no newline of its own.
 */
const tombstoneMark = '!';

export function isTombstoneRow(row: string): boolean {
  return row.startsWith(tombstoneMark);
}

export function encodeState(state: StoredState, texts: DocumentTexts): string {
  if (state.kind === 'tombstone') {
    return tombstoneMark + JSON.stringify([state.timestamp, state.author, state.seq, state.deletedAt]);
  }
  const text = texts.of(state.document);
  return state.fieldVersions ? `${text}\n${JSON.stringify(state.fieldVersions)}` : text;
}

export function decodeState(row: string, texts: DocumentTexts): StoredState {
  if (isTombstoneRow(row)) return decodeTombstone(row);
  const end = row.indexOf('\n');
  if (end < 0) return { kind: 'document', document: texts.parse(row) };
  const fieldVersions = JSON.parse(row.slice(end + 1)) as FieldVersions;
  return { kind: 'document', document: texts.parse(row.slice(0, end)), fieldVersions };
}

export function decodeTombstone(row: string): Tombstone {
  const [timestamp, author, seq, deletedAt] = JSON.parse(row.slice(1)) as [Millis, UserId, Seq, Millis];
  return { kind: 'tombstone', timestamp, author, seq, deletedAt };
}

/** The document of a row that is no tombstone. */
export function decodeDocument(row: string): Document {
  const end = row.indexOf('\n');
  return JSON.parse(end < 0 ? row : row.slice(0, end)) as Document;
}

/** A row of the log; epoch, lane and seq are in its key. 0 stands for what is missing. */
type EntryRow = [
  author: UserId,
  id: ChangeId,
  operation: Operation,
  collection: CollectionName,
  documentId: DocumentId,
  timestamp: Millis,
  committedAt: Millis,
  origin: SocketId | 0,
  data: JsonObject | 0,
  unset: readonly string[] | 0,
  emitTo: readonly UserId[] | 0,
  before: Document | null,
  after: Document | null,
];

export function encodeEntry(entry: Entry, texts: DocumentTexts): string {
  const head = JSON.stringify([
    entry.author,
    entry.id,
    entry.operation,
    entry.collection,
    entry.documentId,
    entry.timestamp,
    entry.committedAt,
    entry.origin ?? 0,
    entry.data ?? 0,
    entry.unset ?? 0,
    entry.emitTo ?? 0,
  ]);
  const before = entry.before === null ? 'null' : texts.of(entry.before);
  const after = entry.after === null ? 'null' : texts.of(entry.after);
  return `${head.slice(0, -1)},${before},${after}]`;
}

export interface EntryPlace {
  readonly epoch: Epoch;
  readonly lane: Lane;
  readonly seq: Seq;
}

export function decodeEntry(row: string, place: EntryPlace): Entry {
  const [
    author,
    id,
    operation,
    collection,
    documentId,
    timestamp,
    committedAt,
    origin,
    data,
    unset,
    emitTo,
    before,
    after,
  ] = JSON.parse(row) as EntryRow;
  return {
    epoch: place.epoch,
    lane: place.lane,
    seq: place.seq,
    author,
    id,
    ...(origin !== 0 && { origin }),
    operation,
    collection,
    documentId,
    key: documentKey(documentId),
    ...(data !== 0 && { data }),
    ...(unset !== 0 && { unset }),
    before,
    after,
    timestamp,
    committedAt,
    ...(emitTo !== 0 && { emitTo }),
  };
}

/*
 * An outcome is either where its entry stands, `epoch,lane,seq`, or, of a superseded change,
 * [collection, documentId, timestamp, committedAt].
 */
type SupersededRow = [collection: CollectionName, documentId: DocumentId, timestamp: Millis, committedAt: Millis];

export function encodeApplied(place: EntryPlace): string {
  return `${place.epoch},${place.lane},${place.seq}`;
}

export function decodeApplied(row: string): EntryPlace | undefined {
  if (row.startsWith('[')) return undefined;
  const [epoch, lane, seq] = row.split(',').map(Number) as [Epoch, Lane, Seq];
  return { epoch, lane, seq };
}

export function encodeSuperseded(outcome: RecordedOutcome): string {
  const { collection, documentId, timestamp, committedAt } = outcome;
  return JSON.stringify([collection, documentId, timestamp, committedAt] satisfies SupersededRow);
}

export function decodeSuperseded(row: string, ref: ChangeRef): RecordedOutcome {
  const [collection, documentId, timestamp, committedAt] = JSON.parse(row) as SupersededRow;
  return { kind: 'superseded', author: ref.author, id: ref.id, collection, documentId, timestamp, committedAt };
}

export function appliedOutcome(entry: Entry): RecordedOutcome {
  const { author, id, collection, documentId, timestamp, committedAt, lane, seq } = entry;
  return { kind: 'applied', author, id, collection, documentId, timestamp, committedAt, lane, seq };
}
