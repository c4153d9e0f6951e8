import { type Document, type DocumentKey, documentKey } from '@tidemark/protocol/core';
import type { Predicate } from '@tidemark/rql';
import type { CollectionChanges, View } from '../local/view.ts';
import { type DocumentPair, diffOf, type QueryDiff } from './diff.ts';
import { FirstList } from './first-list.ts';
import { ResultList } from './result-list.ts';
import { comparatorOf, type SortDirection, type SortField } from './sort.ts';

/** What an observer is told. */
export interface QueryResult<T extends Document = Document> {
  /** Frozen in time: a later change makes a new list. */
  readonly documents: readonly T[];
  /** How they differ from the time before; undefined the first time. */
  readonly diff: QueryDiff | undefined;
}

export interface QuerySource {
  readonly view: View;
  readonly collection: string;
  readonly matches: Predicate;
  /** Resolves when the local store has been read. */
  readonly ready: Promise<void>;
  readonly isReady: () => boolean;
  readonly report: (error: unknown) => void;
}

interface QueryShape {
  readonly sort: readonly SortField[];
  readonly limit: number | undefined;
}

const noDocuments: readonly Document[] = [];

/**
 * A query over the local documents with the user's own writes, made by `Collection.query`. It asks the server for nothing: that is
 * what subscriptions do. Without `sort` documents stand in the order in which they came to match.
 */
export class LiveQuery<T extends Document = Document> {
  readonly #source: QuerySource;
  readonly #shape: QueryShape;
  readonly #listeners = new Set<(result: QueryResult<T>) => void>();
  /** Ends following the collection; undefined while nobody observes. */
  #stop: (() => void) | undefined;
  #told: readonly Document[] = noDocuments;
  #current: readonly Document[] = noDocuments;
  /** By document: how observers saw it last, and how it stands now. */
  #touched = new Map<DocumentKey, DocumentPair>();

  /** @internal Made by `Collection.query`. */
  constructor(source: QuerySource, shape: QueryShape = { sort: [], limit: undefined }) {
    this.#source = source;
    this.#shape = shape;
  }

  /**
   * The same query, ordered by one more field; `path` may lead into embedded documents with dots. Equal values are ordered by id;
   * kinds stand in the order null (or missing), booleans, numbers, dates, strings, everything else.
   */
  sort(path: string, direction: SortDirection = 'asc'): LiveQuery<T> {
    return new LiveQuery<T>(this.#source, { ...this.#shape, sort: [...this.#shape.sort, { path, direction }] });
  }

  /** The same query, its first `count` documents only. Throws RangeError unless `count` is a whole number from 0. */
  limit(count: number): LiveQuery<T> {
    if (!Number.isInteger(count) || count < 0)
      throw new RangeError(`limit must be a whole number from 0, not ${count}`);
    return new LiveQuery<T>(this.#source, { ...this.#shape, limit: count });
  }

  /** The documents that match now. Rejects with ClientError `store_failed` when the local store cannot be read. */
  async find(): Promise<readonly T[]> {
    await this.#source.ready;
    return (this.#stop ? this.#current : this.#makeList().documents) as readonly T[];
  }

  /** The list that observers saw last; the same object until it changes. Undefined before the first result. */
  get current(): readonly T[] | undefined {
    return this.#stop && (this.#told as readonly T[]);
  }

  /**
   * Calls the listener with the first result (at once when the store is open) and after every atomic step that changes it.
   * Returns the function that ends it; safe to call twice.
   */
  observe(listener: (result: QueryResult<T>) => void): () => void {
    const own = (result: QueryResult<T>) => listener(result);
    this.#listeners.add(own);
    if (this.#source.isReady()) this.#tellFirst(own);
    else
      void this.#source.ready.then(
        () => this.#listeners.has(own) && this.#tellFirst(own),
        () => {},
      );
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#unfollow();
    };
  }

  #tellFirst(listener: (result: QueryResult<T>) => void): void {
    if (!this.#stop) this.#follow();
    this.#call(listener, { documents: this.#told as readonly T[], diff: undefined });
  }

  #follow(): void {
    const result = this.#makeList();
    this.#current = result.documents;
    this.#told = this.#current;
    this.#stop = this.#source.view.observe(this.#source.collection, {
      update: (changes) => this.#update(result, changes),
      notify: () => this.#notify(),
    });
  }

  #unfollow(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#touched.clear();
  }

  #makeList(): ResultList | FirstList {
    const { sort, limit } = this.#shape;
    const compare = sort.length === 0 ? undefined : comparatorOf(sort);
    const { view, collection, matches } = this.#source;
    const documents = view.ofCollection(collection);
    if (compare && limit !== undefined) return new FirstList({ matches, compare, limit }, documents);
    return new ResultList({ matches, compare, limit }, documents);
  }

  #update(result: ResultList | FirstList, changes: CollectionChanges): void {
    if (!result.apply(changes)) return;
    this.#current = result.documents;
    if (this.#shape.limit !== undefined) return;
    for (const [key, { before, after }] of changes) {
      const first = this.#touched.get(key);
      this.#touched.set(key, { before: first ? first.before : before, after });
    }
  }

  #notify(): void {
    if (this.#current === this.#told) return;
    const touched = this.#shape.limit === undefined ? this.#touched : pairsOf(this.#told, this.#current);
    const diff = diffOf(this.#told, this.#current, touched);
    this.#touched = new Map();
    this.#told = this.#current;
    if (diff.added.length + diff.removed.length + diff.changed.length === 0) return;
    const documents = this.#told as readonly T[];
    for (const listener of [...this.#listeners]) {
      // One before it may have ended it.
      if (this.#listeners.has(listener)) this.#call(listener, { documents, diff });
    }
  }

  #call(listener: (result: QueryResult<T>) => void, result: QueryResult<T>): void {
    try {
      listener(result);
    } catch (error) {
      this.#source.report(error);
    }
  }
}

/** With a limit, documents move into the window that nobody touched. */
function pairsOf(told: readonly Document[], current: readonly Document[]): Map<DocumentKey, DocumentPair> {
  const pairs = new Map<DocumentKey, DocumentPair>();
  for (const before of told) pairs.set(documentKey(before._id), { before, after: undefined });
  for (const after of current) {
    const key = documentKey(after._id);
    pairs.set(key, { before: pairs.get(key)?.before, after });
  }
  return pairs;
}
