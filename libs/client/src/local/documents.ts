import {
  type DeliveredMessage,
  type Document,
  type DocumentId,
  type DocumentKey,
  documentKey,
  type Json,
} from '@tidemark/protocol/core';
import { documentRef } from './document-ref.ts';
import type { Journal } from './journal.ts';
import { patched } from './overlay.ts';
import type { DocumentRecord } from './records.ts';

/** `stale`: held from before a reset or a gap, shown until the server has told it anew or has not. */
export interface HeldDocument {
  readonly document: Document;
  readonly stale: boolean;
}

/** Deletes that are remembered, so that history which is told again cannot resurrect a document for a moment. */
const rememberedDeletes = 10_000;

/**
 * The server's truth, as far as this client was told.
 * Guaranteed: a document that is not stale never goes back to an older version, in whatever order and however often it is told.
 */
export class Documents {
  readonly #journal: Journal;
  readonly #collections = new Map<string, Map<DocumentKey, HeldDocument>>();
  /** Version at which a document went away, by ref; oldest first. */
  readonly #graves = new Map<string, number>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get(collection: string, key: DocumentKey): HeldDocument | undefined {
    return this.ofCollection(collection).get(key);
  }

  ofCollection(collection: string): Map<DocumentKey, HeldDocument> {
    const documents = this.#collections.get(collection) ?? new Map<DocumentKey, HeldDocument>();
    this.#collections.set(collection, documents);
    return documents;
  }

  collections(): IterableIterator<string> {
    return this.#collections.keys();
  }

  /** A whole document as it stands on the server: from a bootstrap or the answer to a write that lost. */
  tell(collection: string, document: Document): void {
    const key = documentKey(document._id);
    const held = this.#undoubted(collection, key);
    const version = versionOf(document);
    const known = held ? versionOf(held) : -1;
    // Version 0 was written past the server: of two such, the one that is told later is the newer.
    if (version < known || (version === known && version > 0) || version < this.#grave(collection, key)) return;
    this.#put(collection, key, document);
  }

  /** A change of the stream. What is older than what is held is dropped. */
  deliver(change: DeliveredMessage): void {
    const { collection } = change;
    const key = documentKey(change.documentId as DocumentId);
    const base = this.#undoubted(collection, key);
    if (base && change.version <= versionOf(base)) return;
    if (change.version < this.#grave(collection, key)) return;
    if (change.operation === 'delete') this.#bury(collection, key, change.version);
    else if (change.operation === 'insert')
      this.#put(collection, key, { ...change.data, _id: change.documentId } as Document);
    else if (base) this.#put(collection, key, patched(base, changedFields(change), change.unset ?? []));
  }

  /** Everything held of the collections that the test holds for is in doubt, as are the versions seen. */
  markStale(collection: string, isInDoubt: (document: Document) => boolean): void {
    const documents = this.ofCollection(collection);
    for (const [key, held] of documents) {
      if (!held.stale && isInDoubt(held.document)) documents.set(key, { ...held, stale: true });
    }
  }

  /** After a reset versions may start again at 1. */
  forgetDeletes(): void {
    this.#graves.clear();
  }

  /** Drops the documents that the test holds for. */
  drop(collection: string, isUnwanted: (held: HeldDocument) => boolean): void {
    for (const [key, held] of this.ofCollection(collection)) if (isUnwanted(held)) this.#remove(collection, key);
  }

  /** Takes a record over from the store or another tab: it is not to be written again. */
  restore(record: DocumentRecord): void {
    this.#set(record.collection, record.key, record.document);
    this.#journal.touch(record.collection, record.key);
  }

  forget(collection: string, key: DocumentKey): void {
    if (this.ofCollection(collection).delete(key)) this.#journal.touch(collection, key);
  }

  #undoubted(collection: string, key: DocumentKey): Document | undefined {
    const held = this.get(collection, key);
    return held?.stale ? undefined : held?.document;
  }

  #put(collection: string, key: DocumentKey, document: Document): void {
    this.#set(collection, key, document);
    this.#journal.document(collection, key);
  }

  #set(collection: string, key: DocumentKey, document: Document): void {
    this.ofCollection(collection).set(key, { document, stale: false });
  }

  #remove(collection: string, key: DocumentKey): void {
    if (this.ofCollection(collection).delete(key)) this.#journal.document(collection, key);
  }

  #bury(collection: string, key: DocumentKey, version: number): void {
    this.#remove(collection, key);
    const ref = documentRef(collection, key);
    this.#graves.delete(ref);
    this.#graves.set(ref, version);
    const [oldest = ref] = this.#graves.keys();
    if (this.#graves.size > rememberedDeletes) this.#graves.delete(oldest);
  }

  #grave(collection: string, key: DocumentKey): number {
    return this.#graves.get(documentRef(collection, key)) ?? 0;
  }
}

/** 0 for a document that was never written through Tidemark. */
export function versionOf(document: Document): number {
  return document.sync_version ?? 0;
}

function changedFields(change: DeliveredMessage): Record<string, Json> {
  return {
    ...(change.data as Record<string, Json> | undefined),
    sync_updated_at: change.timestamp,
    sync_version: change.version,
    ...(change.userId !== null && { _updated_by: change.userId }),
  };
}
