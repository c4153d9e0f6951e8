import { type Document, type DocumentKey, documentKey } from '@tidemark/protocol/core';
import type { Predicate } from '@tidemark/rql';
import type { CollectionChanges } from '../local/view.ts';
import { placeFor } from './place.ts';
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
    const { compare } = this.#options;
    if (gone.size + come.length <= few) this.#all = this.#edited(gone, come);
    else this.#all = compare ? this.#resorted(gone, come, compare) : this.#replaced(gone, come);
    return true;
  }

  /** A copy in which a few documents are changed in place: no step of it looks at every document. */
  #edited(gone: ReadonlySet<Document>, come: readonly Document[]): Document[] {
    const { compare } = this.#options;
    const documents = this.#all.slice();
    const next = new Map(come.map((document) => [documentKey(document._id), document]));
    for (const document of gone) {
      const index = documents.indexOf(document);
      if (index < 0) continue;
      const key = documentKey(document._id);
      const successor = compare ? undefined : next.get(key);
      if (successor) documents[index] = successor;
      else documents.splice(index, 1);
      if (successor) next.delete(key);
    }
    for (const document of next.values()) {
      const index = compare ? placeFor(document, documents, { from: 0, compare }) : documents.length;
      documents.splice(index, 0, document);
    }
    return documents;
  }

  #resorted(gone: ReadonlySet<Document>, come: Document[], compare: Comparator): Document[] {
    const stay = gone.size === 0 ? this.#all : this.#all.filter((document) => !gone.has(document));
    return come.length === 0 ? [...stay] : merged(stay, come.sort(compare), compare);
  }

  #replaced(gone: ReadonlySet<Document>, come: readonly Document[]): Document[] {
    const next = new Map(come.map((document) => [documentKey(document._id), document]));
    const documents: Document[] = [];
    for (const document of this.#all) {
      if (!gone.has(document)) {
        documents.push(document);
        continue;
      }
      const key = documentKey(document._id);
      const successor = next.get(key);
      if (successor) documents.push(successor);
      next.delete(key);
    }
    for (const document of next.values()) documents.push(document);
    return documents;
  }
}

/** Two sorted lists as one; the first is long, the second short. */
function merged(long: readonly Document[], short: readonly Document[], compare: Comparator): Document[] {
  const result: Document[] = [];
  let from = 0;
  for (const document of short) {
    const to = placeFor(document, long, { from, compare });
    for (let index = from; index < to; index++) result.push(long[index] as Document);
    result.push(document);
    from = to;
  }
  for (let index = from; index < long.length; index++) result.push(long[index] as Document);
  return result;
}
