import {
  type AckMessage,
  type ChangeMessage,
  type Document,
  type DocumentId,
  type DocumentKey,
  documentKey,
  type JsonObject,
  type Operation,
  type UserId,
  wins,
} from '@tidemark/protocol/core';
import { documentRef } from '../src/local/document-ref.ts';
import { patched } from '../src/local/overlay.ts';

/** A committed change as the simulation keeps it. */
export interface SimulatedEntry {
  readonly lane: number;
  readonly seq: number;
  readonly id: string;
  readonly author: string;
  readonly operation: Operation;
  readonly collection: string;
  readonly documentId: DocumentId;
  readonly key: DocumentKey;
  readonly data: JsonObject;
  readonly unset: readonly string[];
  readonly timestamp: number;
  readonly before: Document | undefined;
  readonly after: Document | undefined;
}

interface Stored {
  readonly timestamp: number;
  readonly author: string;
  readonly seq: number;
  /** Undefined: a tombstone. */
  readonly document: Document | undefined;
}

export type Position = readonly number[];

const maxSkewMs = 60_000;

/**
 * A server in memory that keeps the wire contract, written for itself: no code of the real one. Documents with `forbidden: true` are
 * rejected. Versions count per lane.
 */
export class SimulatedServer {
  readonly lanes = 3;
  readonly now: () => number;
  historyId = 'h1';
  /** Changes that are answered `unavailable` from now on. */
  faults = 0;
  readonly #stored = new Map<string, Stored & { collection: string }>();
  readonly #outcomes = new Map<string, AckMessage>();
  #log: SimulatedEntry[][] = [[], [], []];
  #heads = [0, 0, 0];
  #trimmed = [0, 0, 0];
  /** Everything that was ever committed, over all histories. */
  readonly committed: SimulatedEntry[] = [];

  constructor(now: () => number) {
    this.now = now;
  }

  get heads(): Position {
    return [...this.#heads];
  }

  documents(collection: string): readonly Document[] {
    return [...this.#stored.values()].flatMap((stored) =>
      stored.collection === collection && stored.document ? [stored.document] : [],
    );
  }

  /** Entries of all lanes after a position, lane by lane; undefined when the next one is gone. */
  entriesAfter(position: Position): readonly SimulatedEntry[] | undefined {
    if (position.some((seq, lane) => seq < (this.#trimmed[lane] ?? 0) || seq > (this.#heads[lane] ?? 0)))
      return undefined;
    return this.#log.flatMap((entries, lane) => entries.filter((entry) => entry.seq > (position[lane] ?? 0)));
  }

  /** Retention: history is forgotten, documents stay. */
  trim(): void {
    this.#trimmed = [...this.#heads];
    this.#log = [[], [], []];
  }

  /** The store was rebuilt from its documents: another history, in which versions start again at 1. */
  startNewHistory(): void {
    this.historyId = `h${Number(this.historyId.slice(1)) + 1}`;
    this.#outcomes.clear();
    this.#log = [[], [], []];
    this.#heads = [0, 0, 0];
    this.#trimmed = [0, 0, 0];
    for (const [ref, stored] of this.#stored) {
      const lane = laneOf(ref, this.lanes);
      const seq = (this.#heads[lane] ?? 0) + 1;
      this.#heads[lane] = seq;
      this.#trimmed[lane] = seq;
      const document = stored.document && ({ ...stored.document, sync_version: seq } as Document);
      this.#stored.set(ref, { ...stored, seq, document });
    }
  }

  change(author: string, change: ChangeMessage): AckMessage {
    const id = change.id ?? 'none';
    const first = this.#outcomes.get(`${author}\0${id}`);
    const timestamp = this.now();
    if (first) return { ...first, outcome: 'duplicate', ...(!first.success && { current: this.#current(change) }) };
    if (this.faults > 0) {
      this.faults -= 1;
      return {
        changeId: id,
        success: false,
        timestamp,
        outcome: 'rejected',
        code: 'unavailable',
        error: 'unavailable',
        retryAfterMs: 50,
      };
    }
    if ((change.data as JsonObject | undefined)?.forbidden === true) {
      return {
        changeId: id,
        success: false,
        timestamp,
        outcome: 'rejected',
        code: 'forbidden',
        error: 'the rules forbid it',
      };
    }
    const ack = this.#decide(author, change, id);
    this.#outcomes.set(`${author}\0${id}`, ack);
    return ack;
  }

  #decide(author: string, change: ChangeMessage, id: string): AckMessage {
    const collection = change.collection as string;
    const documentId = change.documentId as DocumentId;
    const ref = documentRef(collection, documentKey(documentId));
    const stored = this.#stored.get(ref);
    const timestamp = Math.min(change.timestamp ?? this.now(), this.now() + maxSkewMs);
    const version = { timestamp, author: author as UserId };
    const wonByStored = !wins(version, stored && { timestamp: stored.timestamp, author: stored.author as UserId });
    const isDead = change.operation === 'update' && stored !== undefined && stored.document === undefined;
    if (wonByStored || isDead) {
      return {
        changeId: id,
        success: false,
        timestamp: this.now(),
        outcome: 'superseded',
        code: 'conflict',
        error: 'conflict: newer',
        current: this.#current(change),
      };
    }
    const entry = this.#commit({ author, change, id, timestamp, ref, before: stored?.document });
    return { changeId: id, success: true, timestamp, outcome: 'applied', lane: entry.lane, seq: entry.seq };
  }

  #commit(write: {
    author: string;
    change: ChangeMessage;
    id: string;
    timestamp: number;
    ref: string;
    before: Document | undefined;
  }): SimulatedEntry {
    const { author, change, id, timestamp, ref, before } = write;
    const lane = laneOf(ref, this.lanes);
    const seq = (this.#heads[lane] ?? 0) + 1;
    const documentId = change.documentId as DocumentId;
    const operation = change.operation as Operation;
    const data = {
      ...((change.data ?? {}) as JsonObject),
      sync_updated_at: timestamp,
      _updated_by: author,
      sync_version: seq,
    };
    const unset = operation === 'update' ? (change.unset ?? []) : [];
    const base = operation === 'update' && before ? before : ({ _id: documentId } as Document);
    const after = operation === 'delete' ? undefined : patched(base, data, unset);
    const entry: SimulatedEntry = {
      lane,
      seq,
      id,
      author,
      operation,
      documentId,
      data,
      unset,
      timestamp,
      before,
      after,
      collection: change.collection as string,
      key: documentKey(documentId),
    };
    this.#heads[lane] = seq;
    this.#log[lane]?.push(entry);
    this.committed.push(entry);
    this.#stored.set(ref, { timestamp, author, seq, document: after, collection: entry.collection });
    return entry;
  }

  #current(change: ChangeMessage): Document | null {
    const ref = documentRef(change.collection as string, documentKey(change.documentId as DocumentId));
    return this.#stored.get(ref)?.document ?? null;
  }
}

function laneOf(ref: string, lanes: number): number {
  let hash = 7;
  for (const character of ref) hash = (hash * 31 + character.charCodeAt(0)) % 100_003;
  return hash % lanes;
}
