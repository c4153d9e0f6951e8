import { useCallback, useSyncExternalStore } from 'react';
import type { SyncStatus } from '../status.ts';
import { useTidemark } from './provider.ts';

/** Where the client stands: connection, writes that wait, last sync. */
export function useSyncStatus(): SyncStatus {
  const client = useTidemark();
  const listen = useCallback((listener: () => void) => client.on('status', listener), [client]);
  const snapshot = () => client.status;
  return useSyncExternalStore(listen, snapshot, snapshot);
}
