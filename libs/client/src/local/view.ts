import type { Document, DocumentKey } from '@tidemark/protocol/core';
import type { DocumentSet } from './journal.ts';

export interface DocumentChange {
  readonly before: Document | undefined;
  readonly after: Document | undefined;
}

/** What one atomic step changed in a collection. */
export type CollectionChanges = ReadonlyMap<DocumentKey, DocumentChange>;

/** Follows a collection: first `update` of all observers is called, then `notify`, so that no observer sees another one lag. */
export interface CollectionObserver {
  update(changes: CollectionChanges): void;
  notify(): void;
}

/** What the user sees: for every document the truth with the own writes on top. */
export class View {
  readonly #read: (collection: string, key: DocumentKey) => Document | undefined;
  readonly #collections = new Map<string, Map<DocumentKey, Document>>();
  readonly #observers = new Map<string, Set<CollectionObserver>>();

  constructor(read: (collection: string, key: DocumentKey) => Document | undefined) {
    this.#read = read;
  }

  get(collection: string, key: DocumentKey): Document | undefined {
    return this.ofCollection(collection).get(key);
  }

  ofCollection(collection: string): Map<DocumentKey, Document> {
    const documents = this.#collections.get(collection) ?? new Map<DocumentKey, Document>();
    this.#collections.set(collection, documents);
    return documents;
  }

  observe(collection: string, observer: CollectionObserver): () => void {
    const observers = this.#observers.get(collection) ?? new Set();
    this.#observers.set(collection, observers);
    observers.add(observer);
    return () => observers.delete(observer);
  }

  /** Brings the named documents up to date and tells the observers, once each. */
  refresh(touched: DocumentSet): void {
    const changed: CollectionObserver[] = [];
    for (const [collection, keys] of touched) {
      const changes = this.#refreshCollection(collection, keys);
      if (changes.size === 0) continue;
      for (const observer of this.#observers.get(collection) ?? []) {
        observer.update(changes);
        changed.push(observer);
      }
    }
    for (const observer of changed) observer.notify();
  }

  #refreshCollection(collection: string, keys: ReadonlySet<DocumentKey>): CollectionChanges {
    const documents = this.ofCollection(collection);
    const changes = new Map<DocumentKey, DocumentChange>();
    for (const key of keys) {
      const before = documents.get(key);
      const after = this.#read(collection, key);
      if (before === after) continue;
      if (after) documents.set(key, after);
      else documents.delete(key);
      changes.set(key, { before, after });
    }
    return changes;
  }
}
