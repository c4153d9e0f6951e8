import { documentRef } from './document-ref.ts';
import { type LocalStore, LocalStoreError } from './port.ts';
import type {
  DocumentRecord,
  MetaRecord,
  OutboxEntry,
  StoredState,
  SubscriptionRecord,
  WriteBatch,
} from './records.ts';

/** A store that lives as long as its object, the default. Two clients, one after the other, may share it. */
export class MemoryStore implements LocalStore {
  readonly #documents = new Map<string, DocumentRecord>();
  readonly #entries = new Map<string, OutboxEntry>();
  readonly #subscriptions = new Map<string, SubscriptionRecord>();
  #meta: MetaRecord | undefined;
  #closed = false;

  async load(): Promise<StoredState> {
    this.#closed = false;
    return {
      documents: [...this.#documents.values()],
      entries: [...this.#entries.values()],
      subscriptions: [...this.#subscriptions.values()],
      meta: this.#meta,
    };
  }

  async write(batch: WriteBatch): Promise<void> {
    if (this.#closed) throw new LocalStoreError('closed', 'the store is closed');
    for (const record of batch.putDocuments) this.#documents.set(documentRef(record.collection, record.key), record);
    for (const { collection, key } of batch.deleteDocuments) this.#documents.delete(documentRef(collection, key));
    for (const entry of batch.putEntries) this.#entries.set(entry.id, entry);
    for (const id of batch.deleteEntries) this.#entries.delete(id);
    for (const record of batch.putSubscriptions) this.#subscriptions.set(record.id, record);
    for (const id of batch.deleteSubscriptions) this.#subscriptions.delete(id);
    if (batch.meta) this.#meta = batch.meta;
  }

  async clear(): Promise<void> {
    this.#documents.clear();
    this.#entries.clear();
    this.#subscriptions.clear();
    this.#meta = undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
