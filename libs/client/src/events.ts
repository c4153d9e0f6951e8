import type { DeliveredMessage, Document, DocumentId, JsonObject, Operation } from '@tidemark/protocol/core';
import type { ClientErrorCode } from './client-error.ts';
import type { SyncStatus } from './status.ts';

/** What a write of the user became. `superseded`: a newer write won. `rejected`: rules, schema or shape forbid it. */
export type WriteOutcome = 'applied' | 'superseded' | 'rejected';

/** What the server has decided about a write. */
export interface SettledWrite {
  /** As in `Write`. */
  readonly changeId: string;
  /** What became of it. */
  readonly outcome: WriteOutcome;
  /** Why, for all but applied ones; a code of the server's catalogue. */
  readonly code?: string;
  /** The same as a sentence for a person. */
  readonly error?: string;
}

/** A write of the user that did not become what the server holds, and was taken back here. */
export interface CompensatedWrite {
  /** As in `Write`. */
  readonly changeId: string;
  /** `superseded`: a newer write won. `rejected`: rules, schema or shape forbid it. */
  readonly outcome: 'superseded' | 'rejected';
  /** Of the server's catalogue; `conflict` for a superseded write. */
  readonly code: string;
  /** A sentence for a person. */
  readonly error: string;
  /** `insert`, `update` or `delete`. */
  readonly operation: Operation;
  /** Its name. */
  readonly collection: string;
  /** A string, `{"$oid": …}` or `{"$uuid": …}`. */
  readonly documentId: DocumentId;
  /** What was to be written: the whole document, or the merged fields. */
  readonly data: JsonObject;
  /** Fields that were to be removed. */
  readonly unset: readonly string[];
  /** What the user saw before it was taken back; null: nothing. */
  readonly previous: Document | null;
  /** What the user sees now. */
  readonly current: Document | null;
}

/** What went wrong without a call that could have told. */
export interface ClientProblem {
  /** `store_full`, `store_failed`, or a code that the server sent. */
  readonly code: ClientErrorCode | (string & {});
  /** A sentence for a person. */
  readonly message: string;
  /** The error below, if there was one. */
  readonly cause?: unknown;
}

/** The events of a client by name, with what their listeners are given. */
export interface ClientEvents {
  /** The status has changed. */
  status: SyncStatus;
  /** A write of the user was taken back: tell them. Also for writes of an earlier run. */
  compensated: CompensatedWrite;
  /** The server has decided a write, whatever it decided. Also for writes of an earlier run. */
  settled: SettledWrite;
  /** The server cannot continue from where this client was: everything is fetched again, pending writes stay. */
  reset: { readonly reason: string };
  /** Changes of the server, after they were applied. */
  delivered: readonly DeliveredMessage[];
  /** Something that no method's promise reports: the store failed, the server complained. */
  problem: ClientProblem;
}
