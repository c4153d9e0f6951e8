import type { Document, DocumentId } from '@tidemark/protocol/core';
import type { QueryState } from './query-entry.ts';
import { type QueryOptions, useQuery } from './use-query.ts';

/** What a component sees of a document. */
export interface DocumentState<T extends Document = Document>
  extends Pick<QueryState<T>, 'isLoading' | 'sync' | 'error'> {
  /** Undefined: there is none, as far as this client knows (`sync` tells whether it has asked). */
  readonly document: T | undefined;
}

/** One document by its id, with the user's own writes, kept up to date. */
export function useDocument<T extends Document = Document>(
  collection: string,
  id: DocumentId,
  options: Pick<QueryOptions, 'subscribe' | 'suspense'> = {},
): DocumentState<T> {
  const { documents, isLoading, sync, error } = useQuery<T>(collection, '_id == $0', [id], options);
  return { document: documents[0], isLoading, sync, error };
}
