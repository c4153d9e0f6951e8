import type { DocumentId } from './document-id.ts';
import type { ChangeId, CollectionName, DocumentKey, Millis, SocketId, UserId } from './ids.ts';
import type { Json, JsonObject } from './json.ts';

export type Operation = 'insert' | 'update' | 'delete';

/** One change as the doors of the gateway hand it on: checked, with one name for everything. */
export interface Change {
  readonly id: ChangeId;
  readonly operation: Operation;
  readonly collection: CollectionName;
  readonly documentId: DocumentId;
  readonly key: DocumentKey;
  /** Without metadata; `{}` for a delete. */
  readonly data: JsonObject;
  readonly unset: readonly string[];
  /** Client's clock, ms; undefined: the writer gives one. */
  readonly timestamp: Millis | undefined;
  /** With optimistic locking: the `sync_version` that the edit was based on, 0 for "does not exist". */
  readonly version: number | undefined;
}

/** Who wrote: the user of the session, and the claims that rules may mention. */
export interface Author {
  readonly userId: UserId;
  readonly claims: Readonly<Record<string, Json>>;
}

/** Changes that are decided together when atomic, else one by one in order. Never empty. */
export interface WriteRequest {
  readonly author: Author;
  /** The socket that sent it; an old client does not get its own writes back. */
  readonly origin: SocketId | undefined;
  readonly atomic: boolean;
  /** REST: live delivery only to these users. */
  readonly emitTo: readonly UserId[] | undefined;
  readonly changes: readonly Change[];
}
