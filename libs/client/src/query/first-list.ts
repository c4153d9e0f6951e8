import type { Document, DocumentKey } from '@tidemark/protocol/core';
import type { Predicate } from '@tidemark/rql';
import type { CollectionChanges } from '../local/view.ts';
import { insert } from './place.ts';
import type { Comparator } from './sort.ts';

export interface FirstListOptions {
  readonly matches: Predicate;
  readonly compare: Comparator;
  readonly limit: number;
}

/** So many more than the limit are kept in order, so that not every document that goes makes us look for the next. */
const spare = 64;
/** Past so many it is cheaper to sort all than to pick the first. */
const fewToPick = 1_000;

/**
 * The first documents of those that match, kept right change by change; the others are known, but in no order. So neither the first
 * result nor a change costs the sorting, or the copying, of what nobody sees.
 */
export class FirstList {
  readonly #options: FirstListOptions;
  /** In order, and before all of the rest. */
  readonly #head: Document[] = [];
  readonly #rest = new Set<Document>();
  #documents: readonly Document[] = [];

  constructor(options: FirstListOptions, documents: ReadonlyMap<DocumentKey, Document>) {
    this.#options = options;
    for (const document of documents.values()) if (options.matches(document)) this.#rest.add(document);
    this.#settle();
  }

  get documents(): readonly Document[] {
    return this.#documents;
  }

  /** False when the list has not changed. */
  apply(changes: CollectionChanges): boolean {
    const { matches, limit } = this.#options;
    let isSeen = false;
    for (const { before } of changes.values()) if (before && matches(before) && this.#take(before)) isSeen = true;
    for (const { after } of changes.values()) if (after && matches(after) && this.#put(after)) isSeen = true;
    for (const document of this.#head.splice(limit + 2 * spare)) this.#rest.add(document);
    const isFull = this.#head.length >= limit;
    if (!isSeen && (isFull || this.#rest.size === 0)) return false;
    this.#settle();
    return true;
  }

  /** Returns whether it stood in the list that is handed out. */
  #take(document: Document): boolean {
    if (this.#rest.delete(document)) return false;
    const index = this.#head.indexOf(document);
    if (index >= 0) this.#head.splice(index, 1);
    return index >= 0 && index < this.#options.limit;
  }

  /** Returns whether it stands in the list that is handed out. */
  #put(document: Document): boolean {
    const { compare, limit } = this.#options;
    const last = this.#head.at(-1);
    if (last && compare(document, last) < 0) return insert(this.#head, document, compare) < limit;
    this.#rest.add(document);
    return false;
  }

  /** Fills the head up, and makes the list that is handed out. */
  #settle(): void {
    const { compare, limit } = this.#options;
    if (this.#head.length < limit) {
      const next = firstOf(this.#rest, limit + spare - this.#head.length, compare);
      for (const document of next) {
        this.#rest.delete(document);
        this.#head.push(document);
      }
    }
    this.#documents = this.#head.slice(0, limit);
  }
}

/** The first `count`, in order. */
function firstOf(documents: ReadonlySet<Document>, count: number, compare: Comparator): readonly Document[] {
  if (count > fewToPick) return [...documents].sort(compare).slice(0, count);
  const first: Document[] = [];
  for (const document of documents) {
    const last = first.at(-1);
    if (first.length === count && last && compare(document, last) > 0) continue;
    insert(first, document, compare);
    if (first.length > count) first.pop();
  }
  return first;
}
