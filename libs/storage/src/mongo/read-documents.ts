import { type Document, documentKey } from '@tidemark/protocol';
import { compile, type Predicate } from '@tidemark/rql';
import { BSON, type Filter, type FindCursor } from 'mongodb';
import type { DocumentsPage, DocumentsRead } from '../port.ts';
import type { Database } from './database.ts';
import type { BsonId } from './document-ids.ts';
import { type DocumentRow, readDocumentRow } from './document-rows.ts';
import { type IdRange, rangeAfter, rangesAfter } from './id-order.ts';
import { documentsOf, exactTypes } from './read-snapshot.ts';
import { filterOf } from './rql-filter.ts';
import type { Collation, UserCollections } from './user-collections.ts';

/** Documents in one answer of the server, at least, while the predicate sorts out. */
const smallestBatch = 100;
/** A page ends early when its documents take so much, in bytes of BSON. */
const maxPageBytes = 4 * 1024 * 1024;

export interface DocumentsSource {
  readonly database: Database;
  readonly collections: Pick<UserCollections, 'collationOf'>;
}

/**
 * The server finds what the filter can say, the predicate decides. A page ends with its last document, so that
 * what is written meanwhile moves nothing that stands.
 */
export async function readDocuments(source: DocumentsSource, read: DocumentsRead): Promise<DocumentsPage> {
  const { filter, exact } = filterOf(read.query);
  if (filter === undefined) return { documents: [], next: undefined };
  const collation = await source.collections.collationOf(read.collection);
  const page = new Page(read.limit, compile(read.query));
  for (const whole of rangesAfter(read.after)) {
    let range: IdRange | undefined = whole;
    while (range !== undefined && !page.isComplete) {
      const { wanted } = page;
      const cursor = openCursor(source.database, read, { filter, range, exact, collation, wanted });
      const { rows, last } = await page.fill(cursor);
      // Rows with an `_id` that no client can name counted for the server: behind its limit there may be more.
      range = exact && rows === wanted && last !== undefined ? rangeAfter(whole, last) : undefined;
    }
  }
  return page.result();
}

interface Search {
  readonly filter: Filter<DocumentRow>;
  readonly exact: boolean;
  readonly range: IdRange;
  readonly collation: Collation | undefined;
  readonly wanted: number;
}

function openCursor(database: Database, read: DocumentsRead, search: Search): FindCursor<DocumentRow> {
  const { filter, exact, range, collation, wanted } = search;
  const whole = { $and: [{ _id: range }, filter] } as Filter<DocumentRow>;
  const cursor = documentsOf(database, read.collection)
    .find(whole, { ...(collation && { collation }), ...exactTypes })
    .sort({ _id: 1 });
  return exact ? cursor.limit(wanted).batchSize(wanted) : cursor.batchSize(Math.max(smallestBatch, wanted));
}

class Page {
  readonly #limit: number;
  readonly #matches: Predicate;
  readonly #documents: Document[] = [];
  #bytes = 0;
  #hasMore = false;

  constructor(limit: number, matches: Predicate) {
    this.#limit = limit;
    this.#matches = matches;
  }

  /** Whether it is known where the page ends. */
  get isComplete(): boolean {
    return this.#hasMore;
  }

  /** One more than there is room for tells whether this page is the last. */
  get wanted(): number {
    return this.#limit + 1 - this.#documents.length;
  }

  /** Takes what the cursor finds: so many rows, up to the last one's id. */
  async fill(cursor: FindCursor<DocumentRow>): Promise<{ readonly rows: number; readonly last: BsonId | undefined }> {
    let rows = 0;
    let last: BsonId | undefined;
    try {
      while (!this.#hasMore) {
        const row = await cursor.next();
        if (row === null) break;
        rows += 1;
        last = row._id;
        const state = readDocumentRow(row);
        if (state && this.#matches(state.document)) this.#take(state.document, row);
      }
      return { rows, last };
    } finally {
      await cursor.close();
    }
  }

  result(): DocumentsPage {
    const last = this.#hasMore ? this.#documents.at(-1) : undefined;
    return { documents: this.#documents, next: last && documentKey(last._id) };
  }

  #take(document: Document, row: DocumentRow): void {
    this.#hasMore = this.#documents.length >= this.#limit || this.#bytes >= maxPageBytes;
    if (this.#hasMore) return;
    this.#documents.push(document);
    this.#bytes += BSON.calculateObjectSize(row);
  }
}
