import type { ConnectionState } from '../connection/machine.ts';

/** What a program may want of a connection. */
export type ConnectionCommand = 'pause' | 'resume' | 'wake';

/** Who keeps the client and the server in step: the engine, or the engine of another tab that shares the store. */
export interface SyncDriver {
  readonly state: ConnectionState;
  command(command: ConnectionCommand): void;
  /** Asks the server to say when everything has arrived. */
  mark(): void;
  /** Subscriptions that were refused may be asked for again. */
  reconcile(): void;
  /** Writes have come into the store. */
  pump(): void;
  close(): void;
}
