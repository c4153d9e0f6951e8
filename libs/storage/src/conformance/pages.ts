import type { Document, DocumentKey } from '@tidemark/protocol';
import { type BoundQuery, bindQuery, type Json, parseQuery, TRUE_QUERY } from '@tidemark/rql';
import type { DocumentsPage, Store } from '../port.ts';
import { collectionName } from './writes.ts';

export const queryOf = (text: string, args: readonly Json[] = []): BoundQuery => bindQuery(parseQuery(text), { args });

export interface PagesOptions {
  readonly query?: BoundQuery;
  readonly limit?: number;
  /** Called between two pages. */
  readonly between?: (page: DocumentsPage) => Promise<void>;
}

/** All documents that match, page by page. */
export async function allDocuments(store: Store, collection: string, options: PagesOptions = {}): Promise<Document[]> {
  const { query = TRUE_QUERY, limit = 7, between } = options;
  const documents: Document[] = [];
  let after: DocumentKey | undefined;
  do {
    const page = await store.readDocuments({ collection: collectionName(collection), query, after, limit });
    documents.push(...page.documents);
    after = page.next;
    await between?.(page);
  } while (after !== undefined);
  return documents;
}

export const idsOf = (documents: readonly Document[]) => documents.map((document) => document._id);
