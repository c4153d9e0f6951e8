import {
  type BootstrapMessage,
  type DeliveredMessage,
  type DocumentId,
  documentKey,
  type ResetMessage,
} from '@tidemark/protocol';

export type Fields = Readonly<Record<string, unknown>>;

/**
 * What a client holds, made of nothing but the messages, in the order of their arrival. It does what every client has to:
 * newer versions stay, inserts replace, updates merge, deletes remove. `faults` lists what the contract rules out.
 */
export class View {
  checkpoint: string | undefined;
  /** It began without the documents, as old clients do: updates of documents that it does not hold are in order. */
  isPartial = false;
  readonly faults: string[] = [];
  private readonly collections = new Map<string, Map<string, Fields>>();
  /** Last version delivered live, by collection and key: they must grow, repeats aside. */
  private readonly removed = new Map<string, number>();

  /** By id, sorted by it. */
  documents(collection: string): Fields[] {
    const held = [...(this.collections.get(collection) ?? [])];
    return held.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, document]) => document);
  }

  ids(collection: string): unknown[] {
    return this.documents(collection).map((document) => document._id);
  }

  get(collection: string, id: DocumentId): Fields | undefined {
    return this.collections.get(collection)?.get(documentKey(id));
  }

  bootstrap(message: BootstrapMessage): void {
    for (const document of message.data) {
      this.put(message.collection, document as Fields & { _id: DocumentId });
    }
    if (message.checkpoint !== undefined) this.checkpoint = message.checkpoint;
  }

  changes(messages: readonly DeliveredMessage[], tail: { readonly checkpoint: string }): void {
    for (const message of messages) this.change(message);
    this.checkpoint = tail.checkpoint;
  }

  reset(message: ResetMessage): void {
    for (const collection of message.collections ?? [...this.collections.keys()]) this.collections.delete(collection);
    this.removed.clear();
  }

  /** A client that ends a subscription drops what no other one holds. */
  dropUnless(collection: string, keeps: (document: Fields) => boolean): void {
    const held = this.collections.get(collection);
    for (const [key, document] of held ?? []) if (!keeps(document)) held?.delete(key);
  }

  change(message: DeliveredMessage): void {
    const key = documentKey(message.documentId);
    const held = this.collections.get(message.collection)?.get(key);
    if (versionOf(held) > message.version || (this.removed.get(`${message.collection}/${key}`) ?? 0) > message.version)
      return;
    if (message.operation === 'delete') this.remove(message, key);
    else if (message.operation === 'insert') this.put(message.collection, message.data as Fields & { _id: DocumentId });
    else this.merge(message, { key, held });
  }

  private merge(message: DeliveredMessage, { key, held }: { key: string; held: Fields | undefined }): void {
    if (held === undefined) {
      if (!this.isPartial)
        this.faults.push(`an update of ${message.collection}/${key}, which the client does not hold`);
      return;
    }
    const merged: Record<string, unknown> = { ...held, ...message.data, ...metadataOf(message) };
    for (const name of message.unset ?? []) delete merged[name];
    this.put(message.collection, merged as Fields & { _id: DocumentId });
  }

  private remove(message: DeliveredMessage, key: string): void {
    this.collections.get(message.collection)?.delete(key);
    this.removed.set(`${message.collection}/${key}`, message.version);
  }

  private put(collection: string, document: Fields & { readonly _id: DocumentId }): void {
    let held = this.collections.get(collection);
    if (held === undefined) {
      held = new Map();
      this.collections.set(collection, held);
    }
    const key = documentKey(document._id);
    if (versionOf(held.get(key)) <= versionOf(document)) held.set(key, document);
  }
}

function metadataOf(message: DeliveredMessage): Fields {
  return { sync_updated_at: message.timestamp, _updated_by: message.userId, sync_version: message.version };
}

function versionOf(document: Fields | undefined): number {
  return typeof document?.sync_version === 'number' ? document.sync_version : 0;
}
