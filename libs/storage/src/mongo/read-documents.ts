import { type Document, documentKey } from '@tidemark/protocol';
import { compile, type Predicate } from '@tidemark/rql';
import type { Filter, FindCursor } from 'mongodb';
import type { DocumentsPage, DocumentsRead } from '../port.ts';
import type { Database } from './database.ts';
import { type DocumentRow, readDocumentRow } from './document-rows.ts';
import { type IdRange, rangesAfter } from './id-order.ts';
import { documentsOf, exactTypes } from './read-snapshot.ts';
import { filterOf } from './rql-filter.ts';

/** Documents that one answer of the server may hold while the predicate sorts out. */
const batchSize = 500;
/** The user's collection may have a collation of its own; ours is by code point. */
const simpleCollation = { locale: 'simple' } as const;

/**
 * The server finds what the filter can say, the predicate decides. A page ends with its last document, so that
 * what is written meanwhile moves nothing that stands.
 */
export async function readDocuments(database: Database, read: DocumentsRead): Promise<DocumentsPage> {
  const { filter } = filterOf(read.query);
  const page: Document[] = [];
  if (filter === undefined) return { documents: page, next: undefined };
  const matches = compile(read.query);
  for (const range of rangesAfter(read.after)) {
    const cursor = openCursor(database, read, { filter, range, wanted: read.limit - page.length });
    await fill(cursor, { page, limit: read.limit, matches });
    if (page.length >= read.limit) break;
  }
  const last = page.length >= read.limit ? page.at(-1) : undefined;
  return { documents: page, next: last && documentKey(last._id) };
}

interface Search {
  readonly filter: Filter<DocumentRow>;
  readonly range: IdRange;
  readonly wanted: number;
}

function openCursor(
  database: Database,
  read: DocumentsRead,
  { filter, range, wanted }: Search,
): FindCursor<DocumentRow> {
  return documentsOf(database, read.collection)
    .find({ $and: [{ _id: range }, filter] } as Filter<DocumentRow>, { collation: simpleCollation, ...exactTypes })
    .sort({ _id: 1 })
    .batchSize(Math.min(batchSize, wanted + 1));
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
