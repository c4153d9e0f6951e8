import type { CollectionName, DocumentKey, Epoch, HistoryId, Seq } from './ids.ts';

/** For every lane of an epoch the seq up to which everything was seen. `seqs[lane]`. */
export interface Position {
  readonly epoch: Epoch;
  readonly seqs: readonly Seq[];
}

/** Where the listing of documents stands that goes before history in `sync:get_changes`: the last document listed. */
export interface ListingCursor {
  readonly collection: CollectionName;
  readonly after: DocumentKey | undefined;
}

/** The tidemark of a client. With a `listing` it is only a bookmark of `sync:get_changes`. */
export interface Checkpoint {
  readonly historyId: HistoryId;
  readonly position: Position;
  readonly listing?: ListingCursor;
  /**
   * The holder has documents that were read at or before this position, later than `position`: until it is reached,
   * updates are sent whole. `wholeThrough[lane]`, of the same epoch and with as many lanes.
   */
  readonly wholeThrough?: readonly Seq[];
  /** Fingerprint of what the holder might read then, 16 hexadecimal digits: with other rights its view is another one. */
  readonly rights?: string;
}
