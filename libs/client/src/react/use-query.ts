import type { Document, Json } from '@tidemark/protocol/core';
import { use, useSyncExternalStore } from 'react';
import type { SortDirection } from '../query/sort.ts';
import { useTidemark } from './provider.ts';
import { queriesOf } from './query-cache.ts';
import { loading, type QueryState } from './query-entry.ts';

/** How a query is shown. */
export interface QueryOptions {
  /** Order of the documents, by one or more fields: `[['createdAt', 'desc'], ['title', 'asc']]`. Without it, as they came to match. */
  readonly sort?: readonly (readonly [path: string, direction: SortDirection])[];
  /** The first so many documents only. All that match are fetched nevertheless. */
  readonly limit?: number;
  /** Whether the server is asked for the documents; true by default. False: what other subscriptions have brought. */
  readonly subscribe?: boolean;
  /**
   * Suspends instead of showing a loading state: `local` until the local store is open, `synced` until the server's documents are
   * here, too, which offline may take for ever on a first run.
   */
  readonly suspense?: 'local' | 'synced';
}

const noArgs: readonly Json[] = [];

/**
 * The documents of a collection that match a filter in RQL, with the user's own writes, kept up to date by the server as long as a
 * component shows them. Equal queries share one subscription; `args` and `sort` may be new arrays in every render.
 * Throws QueryError when the filter does not parse.
 */
export function useQuery<T extends Document = Document>(
  collection: string,
  filter = '',
  args: readonly Json[] = noArgs,
  options: QueryOptions = {},
): QueryState<T> {
  const { sort = [], limit, subscribe = true, suspense } = options;
  const entry = queriesOf(useTidemark()).entry<T>({ collection, filter, args, sort, limit, subscribe });
  // Also when it has resolved: React wants to see again what it has suspended for.
  if (suspense) use(entry.opened);
  if (suspense === 'synced' && subscribe) use(entry.synced);
  return useSyncExternalStore<QueryState<T>>(entry.listen, entry.snapshot, serverSnapshot);
}

function serverSnapshot(): QueryState<never> {
  return loading;
}
