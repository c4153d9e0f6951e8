import type { Document, DocumentKey } from '@tidemark/protocol/core';
import type { HybridClock } from '../hybrid-clock.ts';
import { Documents } from './documents.ts';
import { type DirtyRecords, Journal } from './journal.ts';
import { byTimestamp, Outbox } from './outbox.ts';
import { withOverlay } from './overlay.ts';
import type { DocumentRecord, MetaRecord, StoredState, SubscriptionRecord, WriteBatch } from './records.ts';
import { View } from './view.ts';

type DocumentName = Pick<DocumentRecord, 'collection' | 'key'>;

/**
 * All that the client knows, in memory; the store is written behind it.
 * Every change happens inside `mutate`: afterwards the view is right, observers have been told once, and what became dirty
 * goes to the store in one batch. So a checkpoint is never stored without the documents that it stands for.
 */
export class LocalDatabase {
  readonly documents: Documents;
  readonly outbox: Outbox;
  readonly view: View;
  readonly clock: HybridClock;
  /** Called after every outermost `mutate` that made something dirty. */
  onDirty: () => void = () => {};
  /** What differs from what the store holds. */
  readonly journal = new Journal();
  readonly #subscriptions = new Map<string, SubscriptionRecord>();
  #meta: MetaRecord;
  #depth = 0;
  #afterwards: (() => void)[] = [];

  constructor(clock: HybridClock, clientId: string) {
    this.clock = clock;
    this.#meta = { clientId, clock: 0 };
    this.documents = new Documents(this.journal);
    this.outbox = new Outbox(this.journal);
    this.view = new View((collection, key) => this.#visible(collection, key));
  }

  get meta(): MetaRecord {
    return this.#meta;
  }

  get subscriptions(): ReadonlyMap<string, SubscriptionRecord> {
    return this.#subscriptions;
  }

  mutate<T>(change: () => T): T {
    this.#depth += 1;
    try {
      return change();
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) this.#settle();
    }
  }

  /** Runs it when the change under way is finished and observers have been told. */
  afterwards(run: () => void): void {
    if (this.#depth === 0) run();
    else this.#afterwards.push(run);
  }

  setMeta(change: Partial<MetaRecord>): void {
    this.#meta = { ...this.#meta, ...change };
    this.journal.meta();
  }

  /** The position is gone: everything will be asked for again. */
  clearCheckpoint(): void {
    const { checkpoint: _, ...rest } = this.#meta;
    this.#meta = rest;
    this.journal.meta();
  }

  putSubscription(record: SubscriptionRecord): void {
    this.#subscriptions.set(record.id, record);
    this.journal.subscription(record.id);
  }

  removeSubscription(id: string): void {
    if (this.#subscriptions.delete(id)) this.journal.subscription(id);
  }

  /** Takes in what a store holds. */
  load(state: StoredState): void {
    this.mutate(() => {
      for (const record of state.documents) {
        this.documents.restore(record);
        this.clock.observe(record.document.sync_updated_at);
      }
      for (const entry of [...state.entries].sort(byTimestamp)) {
        this.outbox.restore(entry);
        this.clock.observe(entry.timestamp);
      }
      for (const record of state.subscriptions) this.#subscriptions.set(record.id, record);
      if (state.meta) this.#meta = state.meta;
      this.clock.observe(this.#meta.clock);
    });
  }

  /** Another tab has removed it from the store. */
  forgetSubscription(id: string): void {
    this.#subscriptions.delete(id);
  }

  /** What the store does not have yet, as it stands now. */
  takeDirty(): { dirty: DirtyRecords; batch: WriteBatch } {
    if (this.clock.last > this.#meta.clock) this.setMeta({ clock: this.clock.last });
    const dirty = this.journal.takeDirty();
    return { dirty, batch: this.#batchOf(dirty) };
  }

  #visible(collection: string, key: DocumentKey): Document | undefined {
    const truth = this.documents.get(collection, key)?.document;
    return withOverlay(truth, this.outbox.ofDocument(collection, key));
  }

  #settle(): void {
    this.view.refresh(this.journal.takeTouched());
    if (this.journal.isDirty) this.onDirty();
    const afterwards = this.#afterwards;
    this.#afterwards = [];
    for (const run of afterwards) run();
  }

  #batchOf(dirty: DirtyRecords): WriteBatch {
    const refs = [...dirty.documents].flatMap(([collection, keys]) => [...keys].map((key) => ({ collection, key })));
    const documents = sorted(refs, (ref) => this.#recordOf(ref));
    const entries = sorted(dirty.entries, (id) => this.outbox.get(id));
    const subscriptions = sorted(dirty.subscriptions, (id) => this.#subscriptions.get(id));
    return {
      putDocuments: documents.put,
      deleteDocuments: documents.deleted,
      putEntries: entries.put,
      deleteEntries: entries.deleted,
      putSubscriptions: subscriptions.put,
      deleteSubscriptions: subscriptions.deleted,
      ...(dirty.meta && { meta: this.#meta }),
    };
  }

  #recordOf(ref: DocumentName): DocumentRecord | undefined {
    const held = this.documents.get(ref.collection, ref.key);
    return held && { ...ref, document: held.document };
  }
}

function sorted<Id, T>(ids: Iterable<Id>, get: (id: Id) => T | undefined): { put: T[]; deleted: Id[] } {
  const put: T[] = [];
  const deleted: Id[] = [];
  for (const id of ids) {
    const record = get(id);
    if (record === undefined) deleted.push(id);
    else put.push(record);
  }
  return { put, deleted };
}
