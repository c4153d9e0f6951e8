import type { Document, DocumentKey } from '@tidemark/protocol/core';
import type { HybridClock } from '../hybrid-clock.ts';
import { documentRef } from './document-ref.ts';
import { Documents } from './documents.ts';
import { type DirtyRecords, Journal } from './journal.ts';
import { Outbox } from './outbox.ts';
import { withOverlay } from './overlay.ts';
import type { DocumentRecord, MetaRecord, StoredState, SubscriptionRecord, WriteBatch } from './records.ts';
import { View } from './view.ts';

type DeletedDocument = Pick<DocumentRecord, 'collection' | 'key'>;

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
  readonly #journal = new Journal();
  readonly #subscriptions = new Map<string, SubscriptionRecord>();
  #meta: MetaRecord;
  #depth = 0;
  #afterwards: (() => void)[] = [];

  constructor(clock: HybridClock, clientId: string) {
    this.clock = clock;
    this.#meta = { clientId, clock: 0 };
    this.documents = new Documents(this.#journal);
    this.outbox = new Outbox(this.#journal);
    this.view = new View((collection, key) => this.#visible(collection, key));
  }

  get meta(): MetaRecord {
    return this.#meta;
  }

  get subscriptions(): ReadonlyMap<string, SubscriptionRecord> {
    return this.#subscriptions;
  }

  get isDirty(): boolean {
    return this.#journal.isDirty;
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
    this.#journal.meta();
  }

  /** The position is gone: everything will be asked for again. */
  clearCheckpoint(): void {
    const { checkpoint: _, ...rest } = this.#meta;
    this.#meta = rest;
    this.#journal.meta();
  }

  putSubscription(record: SubscriptionRecord): void {
    this.#subscriptions.set(record.id, record);
    this.#journal.subscription(record.id);
  }

  removeSubscription(id: string): void {
    if (this.#subscriptions.delete(id)) this.#journal.subscription(id);
  }

  /** Fills an empty database with what a store holds. */
  load(state: StoredState): void {
    this.mutate(() => {
      for (const record of state.documents) {
        this.documents.restore(record);
        this.clock.observe(record.document.sync_updated_at);
      }
      for (const entry of [...state.entries].sort((a, b) => a.timestamp - b.timestamp)) {
        this.outbox.restore(entry);
        this.clock.observe(entry.timestamp);
      }
      for (const record of state.subscriptions) this.#subscriptions.set(record.id, record);
      if (state.meta) this.#meta = state.meta;
      this.clock.observe(this.#meta.clock);
    });
  }

  /** Takes over what another tab has written to the store that both share. */
  restore(batch: WriteBatch): void {
    this.mutate(() => {
      for (const { collection, key } of batch.deleteDocuments) this.documents.forget(collection, key);
      for (const record of batch.putDocuments) {
        this.documents.restore(record);
        this.clock.observe(record.document.sync_updated_at);
      }
      for (const id of batch.deleteEntries) this.outbox.forget(id);
      for (const entry of batch.putEntries) {
        this.outbox.restore(entry);
        this.clock.observe(entry.timestamp);
      }
      for (const id of batch.deleteSubscriptions) this.#subscriptions.delete(id);
      for (const record of batch.putSubscriptions) this.#subscriptions.set(record.id, record);
      if (batch.meta) this.#meta = batch.meta;
      this.clock.observe(this.#meta.clock);
    });
  }

  /**
   * Shows what the store holds now, in place of what was told of it. Writes and subscriptions that we still want to write or to remove
   * ourselves, in `own` or because they are dirty, stay as they are here.
   */
  replace(state: StoredState, own: readonly WriteBatch[]): void {
    const { entries, subscriptions } = this.#journal.dirty;
    const ourEntries = new Set([...entries, ...own.flatMap(entryIds)]);
    const ourSubscriptions = new Set([...subscriptions, ...own.flatMap(subscriptionIds)]);
    this.mutate(() => {
      this.#forgetDocuments(state);
      const storedEntries = new Set(state.entries.map(({ id }) => id));
      for (const { id } of [...this.outbox.entries()]) {
        if (!storedEntries.has(id) && !ourEntries.has(id)) this.outbox.forget(id);
      }
      const storedSubscriptions = new Set(state.subscriptions.map(({ id }) => id));
      for (const id of [...this.#subscriptions.keys()]) {
        if (!storedSubscriptions.has(id) && !ourSubscriptions.has(id)) this.#subscriptions.delete(id);
      }
      this.load({
        ...state,
        documents: state.documents.filter((record) => !this.#isHeld(record)),
        // What is stored of our own write may be further on; what we have removed is gone.
        entries: state.entries.filter(({ id }) => !ourEntries.has(id) || this.outbox.get(id)),
        subscriptions: state.subscriptions.filter(({ id }) => !ourSubscriptions.has(id)),
      });
    });
  }

  /**
   * Like `replace`, for the one who is to write to the store from now on. A write that is undecided as far as we were told, and that the
   * store no longer has, was decided without a word: it is sent once more, and the server repeats its answer.
   */
  takeOver(state: StoredState, own: readonly WriteBatch[]): void {
    const stored = new Set(state.entries.map(({ id }) => id));
    for (const { id, stage } of this.outbox.entries()) {
      if (stage === 'accepted' && !stored.has(id)) this.#journal.entry(id);
    }
    this.replace(state, own);
  }

  #forgetDocuments({ documents }: StoredState): void {
    const stored = new Set(documents.map(({ collection, key }) => documentRef(collection, key)));
    for (const collection of this.documents.collections()) {
      for (const key of [...this.documents.ofCollection(collection).keys()]) {
        if (!stored.has(documentRef(collection, key))) this.documents.forget(collection, key);
      }
    }
  }

  /** The very same version; observers need not hear of it again. */
  #isHeld({ collection, key, document }: DocumentRecord): boolean {
    const held = this.documents.get(collection, key)?.document;
    return held?.sync_version !== undefined && held.sync_version === document.sync_version;
  }

  /** What the store does not have yet, as it stands now. */
  takeDirty(): { dirty: DirtyRecords; batch: WriteBatch } {
    if (this.clock.last > this.#meta.clock) this.setMeta({ clock: this.clock.last });
    const dirty = this.#journal.takeDirty();
    return { dirty, batch: this.#batchOf(dirty) };
  }

  putBackDirty(dirty: DirtyRecords): void {
    this.#journal.putBack(dirty);
  }

  #visible(collection: string, key: DocumentKey): Document | undefined {
    const truth = this.documents.get(collection, key)?.document;
    const entries = this.outbox.ofDocument(collection, key);
    return entries.length === 0 ? truth : withOverlay(truth, entries);
  }

  #settle(): void {
    this.view.refresh(this.#journal.takeTouched());
    if (this.#journal.isDirty) this.onDirty();
    const afterwards = this.#afterwards;
    this.#afterwards = [];
    for (const run of afterwards) run();
  }

  #batchOf(dirty: DirtyRecords): WriteBatch {
    const documents = this.#documentsOf(dirty);
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

  #documentsOf(dirty: DirtyRecords): { put: DocumentRecord[]; deleted: DeletedDocument[] } {
    const put: DocumentRecord[] = [];
    const deleted: DeletedDocument[] = [];
    for (const [collection, keys] of dirty.documents) {
      for (const key of keys) {
        const held = this.documents.get(collection, key);
        if (held) put.push({ collection, key, document: held.document });
        else deleted.push({ collection, key });
      }
    }
    return { put, deleted };
  }
}

function entryIds({ putEntries, deleteEntries }: WriteBatch): readonly string[] {
  return [...putEntries.map(({ id }) => id), ...deleteEntries];
}

function subscriptionIds({ putSubscriptions, deleteSubscriptions }: WriteBatch): readonly string[] {
  return [...putSubscriptions.map(({ id }) => id), ...deleteSubscriptions];
}

function sorted<T>(ids: ReadonlySet<string>, get: (id: string) => T | undefined): { put: T[]; deleted: string[] } {
  const put: T[] = [];
  const deleted: string[] = [];
  for (const id of ids) {
    const record = get(id);
    if (record === undefined) deleted.push(id);
    else put.push(record);
  }
  return { put, deleted };
}
