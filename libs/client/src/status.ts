import type { Millis } from '@tidemark/protocol/core';
import type { ConnectionProblem, ConnectionState } from './connection/machine.ts';

/**
 * `paused`: by the program. `offline`: waiting to try again. `connecting`: until the server knows us.
 * `catchingUp`: connected, more is known to come. `live`: up to date. `blocked`: the server refuses until something changes. `closed`.
 */
export type ConnectionStatus = 'paused' | 'offline' | 'connecting' | 'catchingUp' | 'live' | 'blocked' | 'closed';

/** Where a client stands; a new object with every change. */
export interface SyncStatus {
  /** In one word. */
  readonly connection: ConnectionStatus;
  /** The server knows us: `catchingUp` or `live`. */
  readonly connected: boolean;
  /** Writes that wait for the server's ack. */
  readonly pending: number;
  /** Writes that are shown on top of the server's version: pending ones, and acked ones that have not come back yet. */
  readonly optimistic: number;
  /** When the server last told us that we are up to date, in ms since 1970; undefined: never. */
  readonly lastSync: Millis | undefined;
  /** Why there is no connection: `code` and `message`. */
  readonly problem: ConnectionProblem | undefined;
}

/** How a program sees the state of the machine. */
export function connectionStatus(state: ConnectionState): ConnectionStatus {
  if (state.kind === 'waiting') return 'offline';
  return state.kind === 'joining' ? 'connecting' : state.kind;
}
