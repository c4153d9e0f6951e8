import { type Document, documentKey } from '@tidemark/protocol';
import { compile, type Predicate } from '@tidemark/rql';
import type { Filter, FindCursor } from 'mongodb';
import type { DocumentsPage, DocumentsRead } from '../port.ts';
import type { Database } from './database.ts';
import { type DocumentRow, readDocumentRow } from './document-rows.ts';
import { type IdRange, rangesAfter } from './id-order.ts';
import { documentsOf, exactTypes } from './read-snapshot.ts';
import { filterOf } from './rql-filter.ts';
import type { Collation, UserCollections } from './user-collections.ts';

/** Documents in one answer of the server, at least, while the predicate sorts out. */
const smallestBatch = 100;
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
  const matches = compile(read.query);
  const collation = await source.collections.collationOf(read.collection);
  // One more than asked for tells whether this page is the last.
  const limit = read.limit + 1;
  const found: Document[] = [];
  for (const range of rangesAfter(read.after)) {
    if (found.length >= limit) break;
    const cursor = openCursor(source.database, read, { filter, range, exact, collation, wanted: limit - found.length });
    await fill(cursor, { page: found, limit, matches });
  }
  const documents = found.slice(0, read.limit);
  const last = found.length > documents.length ? documents.at(-1) : undefined;
  return { documents, next: last && documentKey(last._id) };
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

interface Filling {
  readonly page: Document[];
  readonly limit: number;
  readonly matches: Predicate;
}

async function fill(cursor: FindCursor<DocumentRow>, { page, limit, matches }: Filling): Promise<void> {
  try {
    while (page.length < limit) {
      const row = await cursor.next();
      if (row === null) return;
      const state = readDocumentRow(row);
      if (state && matches(state.document)) page.push(state.document);
    }
  } finally {
    await cursor.close();
  }
}
