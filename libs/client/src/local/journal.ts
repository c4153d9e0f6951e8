import type { DocumentKey } from '@tidemark/protocol/core';

/** Documents by collection. */
export type DocumentSet = Map<string, Set<DocumentKey>>;

/** Names of records that differ from what the store holds. */
export interface DirtyRecords {
  readonly documents: DocumentSet;
  readonly entries: Set<string>;
  readonly subscriptions: Set<string>;
  meta: boolean;
}

export function noDirtyRecords(): DirtyRecords {
  return { documents: new Map(), entries: new Set(), subscriptions: new Set(), meta: false };
}

/**
 * Notes what the tables change: `dirty` until it is written to the store, `touched` until the view has been brought up to date.
 * Holds names only, so it is bounded by the tables.
 */
export class Journal {
  #dirty = noDirtyRecords();
  #touched: DocumentSet = new Map();

  document(collection: string, key: DocumentKey): void {
    note(this.#dirty.documents, collection, key);
    this.touch(collection, key);
  }

  /** The document looks different, though its record does not. */
  touch(collection: string, key: DocumentKey): void {
    note(this.#touched, collection, key);
  }

  entry(id: string): void {
    this.#dirty.entries.add(id);
  }

  subscription(id: string): void {
    this.#dirty.subscriptions.add(id);
  }

  meta(): void {
    this.#dirty.meta = true;
  }

  get isDirty(): boolean {
    const { documents, entries, subscriptions, meta } = this.#dirty;
    return meta || documents.size > 0 || entries.size > 0 || subscriptions.size > 0;
  }

  /** What the store does not have yet; not to be changed. */
  get dirty(): Readonly<DirtyRecords> {
    return this.#dirty;
  }

  takeDirty(): DirtyRecords {
    const dirty = this.#dirty;
    this.#dirty = noDirtyRecords();
    return dirty;
  }

  /** The write failed: they are dirty still. */
  putBack(dirty: DirtyRecords): void {
    for (const [collection, keys] of dirty.documents)
      for (const key of keys) note(this.#dirty.documents, collection, key);
    for (const id of dirty.entries) this.#dirty.entries.add(id);
    for (const id of dirty.subscriptions) this.#dirty.subscriptions.add(id);
    if (dirty.meta) this.#dirty.meta = true;
  }

  takeTouched(): DocumentSet {
    const touched = this.#touched;
    this.#touched = new Map();
    return touched;
  }
}

function note(set: DocumentSet, collection: string, key: DocumentKey): void {
  const keys = set.get(collection);
  if (keys) keys.add(key);
  else set.set(collection, new Set([key]));
}
