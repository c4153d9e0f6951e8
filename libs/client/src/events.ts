import type { DeliveredMessage, Document, DocumentId, JsonObject, Operation } from '@tidemark/protocol/core';
import type { ClientErrorCode } from './client-error.ts';
import type { SyncStatus } from './status.ts';

/** What a write of the user became. `superseded`: a newer write won. `rejected`: rules, schema or shape forbid it. */
export type WriteOutcome = 'applied' | 'superseded' | 'rejected';

export interface SettledWrite {
  readonly changeId: string;
  readonly outcome: WriteOutcome;
  /** Why, for all but applied ones. */
  readonly code?: string;
  readonly error?: string;
}

/** A write of the user that did not become what the server holds, and was taken back here. */
export interface CompensatedWrite {
  readonly changeId: string;
  readonly outcome: 'superseded' | 'rejected';
  readonly code: string;
  /** A sentence for a person. */
  readonly error: string;
  readonly operation: Operation;
  readonly collection: string;
  readonly documentId: DocumentId;
  /** What was to be written. */
  readonly data: JsonObject;
  readonly unset: readonly string[];
  /** What the user saw before it was taken back; null: nothing. */
  readonly previous: Document | null;
  /** What the user sees now. */
  readonly current: Document | null;
}

export interface ClientProblem {
  readonly code: ClientErrorCode | (string & {});
  readonly message: string;
  readonly cause?: unknown;
}

export interface ClientEvents {
  status: SyncStatus;
  compensated: CompensatedWrite;
  settled: SettledWrite;
  /** The server cannot continue from where this client was: everything is fetched again, pending writes stay. */
  reset: { readonly reason: string };
  /** Changes of the server, after they were applied. */
  delivered: readonly DeliveredMessage[];
  /** Something that no method's promise reports: the store failed, the server complained. */
  problem: ClientProblem;
}
