import type { Document, DocumentId, DocumentKey, Json, JsonObject, Millis, Operation } from '@tidemark/protocol/core';

/** A document as the server last told it. Unique by collection and key. */
export interface DocumentRecord {
  /** Its name. */
  readonly collection: string;
  /** The id as text, different for different ids of whatever type. */
  readonly key: DocumentKey;
  /** Whole, with the server's metadata. */
  readonly document: Document;
}

/**
 * How far a local write has come.
 * `accepted`: kept here, not acknowledged. `applied`: the server committed it, its version has not come back yet.
 * `lost`: a newer version won, which has not come yet. An entry that is visible (or rejected) is gone.
 */
export type EntryStage = 'accepted' | 'applied' | 'lost';

/** Names of fields, or the whole write. */
export type HiddenFields = readonly string[] | 'all';

/** A local write on its way. Unique by id; ordered by timestamp, which no two entries of a store share. */
export interface OutboxEntry {
  /** Names the write for the server, for ever. */
  readonly id: string;
  /** `insert`, `update` or `delete`. */
  readonly operation: Operation;
  /** Its name. */
  readonly collection: string;
  /** A string, `{"$oid": …}` or `{"$uuid": …}`. */
  readonly documentId: DocumentId;
  /** The id as text. */
  readonly key: DocumentKey;
  /** The whole document, or the merged fields; empty for a delete. */
  readonly data: JsonObject;
  /** Fields to be removed. */
  readonly unset: readonly string[];
  /** When it was made, by the hybrid clock of this client; decides conflicts. */
  readonly timestamp: Millis;
  /** How far it has come. */
  readonly stage: EntryStage;
  /** UTF-8 bytes of the change as it is sent. */
  readonly bytes: number;
  /** What a later own write of the document, visible already, has written again: not shown on top of it any more. */
  readonly hidden?: HiddenFields;
}

/** What the user wants to hold. Unique by id; `key` is equal for equal collection, filter and arguments. */
export interface SubscriptionRecord {
  /** Made by the client; the server knows the subscription by it. */
  readonly id: string;
  /** Of what is asked for. */
  readonly key: string;
  /** Its name. */
  readonly collection: string;
  /** RQL; empty for everything. */
  readonly filter: string;
  /** Values of `$0…$n`. */
  readonly args: readonly Json[];
  /** As in `SubscribeOptions`. */
  readonly name?: string;
  /** When a program last asked for it. */
  readonly claimedAt: Millis;
}

/** A tidemark and the subscriptions that it was received for. */
export interface StoredCheckpoint {
  /** Opaque, from the server. */
  readonly token: string;
  /** Their ids. */
  readonly subscriptions: readonly string[];
}

/** What a store holds once. */
export interface MetaRecord {
  /** Whose data this is, once a server has said so. */
  readonly userId?: string;
  /** Made with the store; part of the ids of its changes. */
  readonly clientId: string;
  /** The last timestamp given or seen. */
  readonly clock: Millis;
  /** When the server last told us that we are up to date. */
  readonly lastSync?: Millis;
  /** Missing until the first bootstrap has ended, and after a reset. */
  readonly checkpoint?: StoredCheckpoint;
  /** How many batches the tabs that share the store have written, so that one of them knows when it has missed some. */
  readonly revision?: number;
}

/** All that a store holds. */
export interface StoredState {
  readonly documents: readonly DocumentRecord[];
  readonly entries: readonly OutboxEntry[];
  readonly subscriptions: readonly SubscriptionRecord[];
  readonly meta: MetaRecord | undefined;
}

/** Records to write and to delete, all or nothing. No record is both put and deleted. */
export interface WriteBatch {
  readonly putDocuments: readonly DocumentRecord[];
  readonly deleteDocuments: readonly Pick<DocumentRecord, 'collection' | 'key'>[];
  readonly putEntries: readonly OutboxEntry[];
  readonly deleteEntries: readonly string[];
  readonly putSubscriptions: readonly SubscriptionRecord[];
  readonly deleteSubscriptions: readonly string[];
  readonly meta?: MetaRecord;
}
