import type { Operation } from './change.ts';
import type { Document } from './document.ts';
import type { DocumentId } from './document-id.ts';
import type { ChangeId, CollectionName, DocumentKey, Epoch, Lane, Millis, Seq, SocketId, UserId } from './ids.ts';
import type { JsonObject } from './json.ts';

/**
 * A committed change in the change log. Never changes once committed.
 * `after` is null exactly for deletes; `before` is null when the document did not exist.
 */
export interface Entry {
  readonly epoch: Epoch;
  readonly lane: Lane;
  readonly seq: Seq;
  /** Author and id of the change; an external writer has the author `external`. */
  readonly author: UserId;
  readonly id: ChangeId;
  readonly origin?: SocketId;
  /** `insert` when the document is written whole, `update` when fields were merged. */
  readonly operation: Operation;
  readonly collection: CollectionName;
  readonly documentId: DocumentId;
  readonly key: DocumentKey;
  /** Updates: the fields that took effect. */
  readonly data?: JsonObject;
  readonly unset?: readonly string[];
  readonly before: Document | null;
  readonly after: Document | null;
  /** The version's LWW timestamp. */
  readonly timestamp: Millis;
  /** Server's clock at the commit. */
  readonly committedAt: Millis;
  readonly emitTo?: readonly UserId[];
}
