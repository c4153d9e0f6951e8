import type { SyncError } from '@tidemark/protocol';
import type { Connection } from '../socket/connection.ts';

/** What a door says to the client, and what happens once it was said. */
export interface Reply {
  readonly answer: unknown;
  /** Errors for a client that gave no callback. */
  readonly failures?: readonly SyncError[];
  /** Runs instead of the answer when the client gave no callback. */
  readonly unasked?: () => void;
  /** Runs after the answer was handed to the socket. */
  readonly afterwards?: () => void;
}

/** One event that a client may send. */
export interface Door {
  /** `open`: also before the join. `ordered`: never overtakes another ordered one of its socket. */
  readonly kind: 'open' | 'joined' | 'ordered' | 'join';
  /** Throws SyncError. */
  handle(connection: Connection, payload: unknown): Promise<Reply>;
  /** The error in the words that old clients know it by, where those differ. */
  reword?(error: SyncError, payload: unknown): SyncError;
  /** The answer when it threw. */
  refuse(error: SyncError, payload: unknown): unknown;
}

/** `{ success: false, code, error }`, the answer of most doors. */
export function refusal(error: SyncError): { success: false; code: string; error: string; retryAfterMs?: number } {
  return { success: false, code: error.code, error: error.message, ...retryOf(error) };
}

export function retryOf(error: SyncError): { retryAfterMs?: number } {
  return error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs };
}
