import { type Document, type DocumentKey, documentKey } from '@tidemark/protocol/core';
import type { Predicate } from '@tidemark/rql';
import type { CollectionChanges } from '../local/view.ts';
import { insert } from './place.ts';
import type { Comparator } from './sort.ts';

export interface ResultListOptions {
  readonly matches: Predicate;
  /** Without one, documents stand in the order in which they came to match. */
  readonly compare: Comparator | undefined;
  readonly limit: number | undefined;
}

/** Past so many changes in one step it is cheaper to make the list anew. */
const few = 8;

/** The documents of a collection that match, kept right change by change. The lists it hands out never change. */
export class ResultList {
  readonly #options: ResultListOptions;
  #all: readonly Document[];

  constructor(options: ResultListOptions, documents: ReadonlyMap<DocumentKey, Document>) {
    this.#options = options;
    const matching: Document[] = [];
    for (const document of documents.values()) if (options.matches(document)) matching.push(document);
    this.#all = options.compare ? matching.sort(options.compare) : matching;
  }

  get documents(): readonly Document[] {
    const { limit } = this.#options;
    return limit === undefined || this.#all.length <= limit ? this.#all : this.#all.slice(0, limit);
  }

  /** False when nothing that matches has changed. */
  apply(changes: CollectionChanges): boolean {
    const gone = new Set<Document>();
    const come: Document[] = [];
    for (const { before, after } of changes.values()) {
      if (before && this.#options.matches(before)) gone.add(before);
      if (after && this.#options.matches(after)) come.push(after);
    }
    if (gone.size === 0 && come.length === 0) return false;
    this.#all = this.#changed(gone, come);
    return true;
  }

  #changed(gone: ReadonlySet<Document>, come: readonly Document[]): readonly Document[] {
    const { compare } = this.#options;
    const isFew = gone.size + come.length <= few;
    const arrived = new Map(come.map((document) => [documentKey(document._id), document]));
    /** Without an order, a document stands where the one stood that it replaces. */
    const successorOf = (document: Document): Document[] => {
      const key = documentKey(document._id);
      const successor = compare ? undefined : arrived.get(key);
      if (!successor) return [];
      arrived.delete(key);
      return [successor];
    };
    const kept = isFew
      ? this.#edited(gone, successorOf)
      : this.#all.flatMap((document) => (gone.has(document) ? successorOf(document) : document));
    if (!isFew || !compare) {
      const all = [...kept, ...arrived.values()];
      // Quick, since most of it is in order.
      return compare ? all.sort(compare) : all;
    }
    for (const document of arrived.values()) insert(kept, document, compare);
    return kept;
  }

  /** A copy in which a few documents are replaced: no step of it looks at every document. */
  #edited(gone: ReadonlySet<Document>, successorOf: (document: Document) => Document[]): Document[] {
    const documents = this.#all.slice();
    for (const document of gone) {
      const index = documents.indexOf(document);
      if (index >= 0) documents.splice(index, 1, ...successorOf(document));
    }
    return documents;
  }
}
