import type {
  ChangeId,
  CollectionName,
  Document,
  DocumentId,
  DocumentKey,
  Entry,
  Epoch,
  FieldVersions,
  HistoryId,
  JsonObject,
  Lane,
  Millis,
  Seq,
  UserId,
} from '@tidemark/protocol';
import type { BoundQuery } from '@tidemark/rql';

/** A layout of lanes. All lanes of an epoch start after seq `base`, which is at least every head of the epoch before. */
export interface LaneEpoch {
  readonly epoch: Epoch;
  readonly lanes: number;
  readonly base: Seq;
}

/** Which history this store holds. The id is made when the store is created and never changes. */
export interface History {
  readonly id: HistoryId;
  /** Oldest first, never empty; the last one is current. */
  readonly epochs: readonly LaneEpoch[];
}

export interface DocumentRef {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly documentId: DocumentId;
}

/** Names a change: an author never uses an id for two changes. */
export interface ChangeRef {
  readonly author: UserId;
  readonly id: ChangeId;
}

/** A document that exists. `document` holds the metadata fields, unless it was never written through Tidemark. */
export interface StoredDocument {
  readonly kind: 'document';
  readonly document: Document;
  /** Only where the collection merges by field. */
  readonly fieldVersions?: FieldVersions;
}

/** What a delete leaves until the log that holds the delete is trimmed. */
export interface Tombstone {
  readonly kind: 'tombstone';
  readonly timestamp: Millis;
  readonly author: UserId;
  readonly seq: Seq;
  readonly deletedAt: Millis;
}

export type StoredState = StoredDocument | Tombstone;

/** How a change ended; kept as long as its log entry would be. Rejected changes are not recorded. */
export type RecordedOutcome = ChangeRef & {
  readonly collection: CollectionName;
  readonly documentId: DocumentId;
  readonly timestamp: Millis;
  readonly committedAt: Millis;
} & ({ readonly kind: 'applied'; readonly lane: Lane; readonly seq: Seq } | { readonly kind: 'superseded' });

/** A lease on a lane, and its number: later ones are higher. */
export interface Fence {
  readonly lane: Lane;
  readonly token: number;
}

export interface TransactionRequest {
  readonly epoch: Epoch;
  /** The lanes that the plan may advance. */
  readonly lanes: readonly Lane[];
  /** The caller's leases: refused as `fenced`, with the lane, when a later token has committed on one of them. */
  readonly fences?: readonly Fence[];
  /** What `decide` may look at. */
  readonly documents: readonly DocumentRef[];
  /** Those of `documents` that the caller expects not to exist. Being wrong costs time, nothing else. */
  readonly expectedNew?: readonly DocumentRef[];
  readonly changes: readonly ChangeRef[];
}

/** A consistent view, only of what the request names. */
export interface Snapshot {
  head(lane: Lane): Seq;
  state(ref: DocumentRef): StoredState | undefined;
  outcome(ref: ChangeRef): RecordedOutcome | undefined;
}

export interface CommitPlan {
  /** In the order of their seqs; those of one lane continue its head without a gap. Applied outcomes follow from them. */
  readonly entries: readonly Entry[];
  /** The last state of every document that changes, once each. */
  readonly states: readonly { readonly ref: DocumentRef; readonly state: StoredState }[];
  readonly superseded: readonly RecordedOutcome[];
}

export interface CommitStore {
  /**
   * Reads what the request names, lets `decide` plan, and commits the plan whole or not at all.
   * Resolves after the commit is durable (MongoDB: majority; embedded: flushed to disk). No two transactions that share a lane
   * can both commit on the same head, whoever runs them. `decide` must be pure: it is called again when another commit came between.
   * An empty plan reads only. Throws StoreError.
   */
  transact<T>(request: TransactionRequest, decide: (snapshot: Snapshot) => { plan: CommitPlan; result: T }): Promise<T>;
}

export interface LaneHead {
  readonly lane: Lane;
  /** The last committed seq. */
  readonly head: Seq;
  /** Entries up to this seq were trimmed away. */
  readonly trimmed: Seq;
}

export interface LogRead {
  readonly epoch: Epoch;
  readonly lane: Lane;
  readonly after: Seq;
  /** At most so many entries; fewer when they grow large (an adapter returns at least one when there is one). */
  readonly limit: number;
}

export interface LogStore {
  /** Every lane of the epoch, by lane. */
  heads(epoch: Epoch): Promise<readonly LaneHead[]>;
  /** Committed entries after a seq, in order, without a gap. Throws StoreError `trimmed` when the next one is gone. */
  readLog(read: LogRead): Promise<readonly Entry[]>;
}

export interface DocumentsRead {
  readonly collection: CollectionName;
  readonly query: BoundQuery;
  /** Continue after this key. */
  readonly after?: DocumentKey | undefined;
  readonly limit: number;
}

export interface DocumentsPage {
  /**
   * Committed documents that match, in one fixed order of their keys (typed ids, then strings by code unit or code point,
   * as the adapter likes); tombstones are not among them. Fewer than the limit when they grow large.
   */
  readonly documents: readonly Document[];
  /** Where the next page starts; undefined when this was the last. */
  readonly next: DocumentKey | undefined;
}

export interface DocumentStore {
  readDocuments(read: DocumentsRead): Promise<DocumentsPage>;
  /** Collections that hold documents or tombstones and that clients may name, in order. */
  collections(): Promise<readonly CollectionName[]>;
  /**
   * The fields as they will be read. Extended JSON has several forms of one value, and a store may know one of them: what is
   * sent live must not differ from what is read later. The same object when nothing changes. Throws StoreError `invalid`.
   */
  canonical(fields: JsonObject): JsonObject;
}

export interface TideStore {
  /** Remembers a checkpoint token for a time. False when that very time has a row already, which stays. */
  recordTide(time: Millis, token: string): Promise<boolean>;
  /** The row of the latest time at or before. */
  findTide(time: Millis): Promise<{ readonly time: Millis; readonly token: string } | undefined>;
}

export interface TrimRequest {
  /** What was committed before this time may go: entries, outcomes, tides, and tombstones whose delete is trimmed. */
  readonly before: Millis;
  /** At most so many rows in one call. */
  readonly limit: number;
}

export interface MaintenanceStore {
  /** Trims from the tail of every lane. `done` is false when the limit ended it. */
  trim(request: TrimRequest): Promise<{ readonly trimmed: number; readonly done: boolean }>;
  /** Cheap at any size; `changes` counts committed changes, ever. */
  statistics(): Promise<{ readonly changes: number }>;
}

/** Everything that an adapter provides; parts ask for the slice that they use. */
export interface Store extends CommitStore, LogStore, DocumentStore, TideStore, MaintenanceStore {
  readonly history: History;
  /** Resolves when the store answers; throws StoreError `unavailable`. */
  check(): Promise<void>;
  /** Safe to call twice; resolves when what was begun has ended. */
  close(): Promise<void>;
}

/** What an adapter is told about the user's collections. */
export interface CollectionSettings {
  /** Dotted paths that get an equality index. */
  readonly indexes: readonly string[];
}
