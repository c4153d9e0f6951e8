import { useSyncStatus, useTidemark } from '@tidemark/client/react';
import { useMemo } from 'react';

/** The documents of a collection that the server has not confirmed in their present form. */
export function usePendingIds(collection: string): ReadonlySet<string> {
  const client = useTidemark();
  const status = useSyncStatus();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the outbox changes whenever the status does
  return useMemo(() => {
    const entries = client.outbox().filter((entry) => entry.collection === collection);
    return new Set(entries.map(({ documentId }) => JSON.stringify(documentId)));
  }, [client, collection, status]);
}
