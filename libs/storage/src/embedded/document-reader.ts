import { setImmediate } from 'node:timers/promises';
import { type CollectionName, type Document, documentKey } from '@tidemark/protocol';
import { compile, equalities, lookupKey, type Predicate } from '@tidemark/rql';
import { isClientCollection } from '../collection-names.ts';
import type { DocumentsPage, DocumentsRead } from '../port.ts';
import { type DocumentRows, indexedRows, scannedRows } from './document-rows.ts';
import type { Tables } from './environment.ts';
import type { IndexCatalog } from './index-catalog.ts';
import { collectionOfRow, documentRange, indexPrefix, indexValuePrefix } from './keys.ts';
import { decodeDocument, isTombstoneRow } from './rows.ts';

/** A read gives the event loop a turn after so many milliseconds. */
const turnMs = 8;
/** A page ends early when its documents have so many characters. */
const maxPageCharacters = 4 * 1024 * 1024;

export interface DocumentReaderDeps {
  readonly tables: Tables;
  readonly catalog: IndexCatalog;
  /** Throws when the store is closed; asked again after every turn of the event loop. */
  readonly assertOpen: () => void;
  /** Milliseconds, for measuring spans. */
  readonly now: () => number;
}

/** Reads documents by query: through an index where an equality of the query has one, else by a scan of the collection. */
export class DocumentReader {
  readonly #deps: DocumentReaderDeps;

  constructor(deps: DocumentReaderDeps) {
    this.#deps = deps;
  }

  async read(read: DocumentsRead): Promise<DocumentsPage> {
    const { assertOpen, now } = this.#deps;
    assertOpen();
    const page = new Page(read.limit, compile(read.query));
    const rows = this.#rows(read);
    for (let until = now() + turnMs; !page.fill(rows, () => now() >= until); until = now() + turnMs) {
      await setImmediate();
      assertOpen();
    }
    return page.result();
  }

  /** Names in order, by jumping from one collection's first row to the next one's. */
  collections(): readonly CollectionName[] {
    this.#deps.assertOpen();
    return [...storedCollections(this.#deps.tables)].filter(isClientCollection);
  }

  #rows(read: DocumentsRead): DocumentRows {
    const { catalog, tables } = this.#deps;
    const paths = catalog.record(read.collection)?.paths ?? [];
    const usable = equalities(read.query).filter(({ path }) => paths.includes(path));
    const best = usable.toSorted((a, b) => a.values.length - b.values.length)[0];
    if (!best) return scannedRows(tables, read);
    const prefix = indexPrefix(read.collection, best.path);
    const values = new Set(best.values.map(lookupKey));
    return indexedRows(
      tables,
      read,
      Array.from(values, (value) => indexValuePrefix(prefix, value)),
    );
  }
}

/** All collections with rows, in order. */
export function* storedCollections(tables: Tables): Generator<CollectionName> {
  let start = '\u0001';
  for (;;) {
    const [row] = tables.documents.getKeys({ start, limit: 1 });
    if (row === undefined) return;
    const collection = collectionOfRow(row);
    yield collection;
    start = documentRange(collection).end;
  }
}

class Page {
  readonly #limit: number;
  readonly #matches: Predicate;
  readonly #documents: Document[] = [];
  #characters = 0;
  #hasMore = false;

  constructor(limit: number, matches: Predicate) {
    this.#limit = limit;
    this.#matches = matches;
  }

  /** Takes rows until the page is complete (true) or time is up (false). */
  fill(rows: DocumentRows, isTimeUp: () => boolean): boolean {
    for (const row of rows) {
      if (this.#isFull()) {
        this.#hasMore = true;
        return true;
      }
      this.#consider(row);
      if (!this.#isFull() && isTimeUp()) return false;
    }
    return true;
  }

  result(): DocumentsPage {
    const last = this.#documents.at(-1);
    return { documents: this.#documents, next: this.#hasMore && last ? documentKey(last._id) : undefined };
  }

  #isFull(): boolean {
    return this.#documents.length >= this.#limit || this.#characters >= maxPageCharacters;
  }

  #consider(row: string): void {
    if (isTombstoneRow(row)) return;
    const document = decodeDocument(row);
    if (!this.#matches(document)) return;
    this.#documents.push(document);
    this.#characters += row.length;
  }
}
