import { type Document, type DocumentId, documentKey, isObject, type Json } from '@tidemark/protocol/core';
import type { View } from './local/view.ts';
import { checkedId, checkedWrite, type LocalWriter, type Write, type WriteRequest } from './local-writer.ts';
import { LiveQuery } from './query/live-query.ts';
import { randomId } from './random-id.ts';
import { predicateOf } from './sync/subscription-set.ts';

export interface CollectionContext {
  readonly view: View;
  readonly writer: LocalWriter;
  readonly ready: Promise<void>;
  readonly isReady: () => boolean;
  readonly random: () => number;
  readonly report: (error: unknown) => void;
}

/** What an update does besides merging fields. */
export interface UpdateOptions {
  /** Top-level fields to remove; none of them may be among the merged ones. */
  readonly unset?: readonly string[];
}

/** The fields of a document as a program writes them: JSON, with Extended JSON for other BSON types. The server's metadata is ignored. */
export type NewDocument = Readonly<Record<string, unknown>> & { readonly _id?: DocumentId };

/** The local documents of one collection: the server's, with the user's own writes on top. */
export class Collection<T extends Document = Document> {
  /** As the server knows it. */
  readonly name: string;
  readonly #context: CollectionContext;

  /** @internal Made by `Client.collection`. */
  constructor(name: string, context: CollectionContext) {
    this.name = name;
    this.#context = context;
  }

  /**
   * Writes a document whole, whether it exists or not; without an `_id` it gets a random one.
   * Visible at once, resolves when it is in the local store; what the server makes of it is told by `Write.settled`.
   *
   * Rejects with ClientError `invalid_document` (not JSON, a key with `$` or a dot), `invalid_message` (the id, the collection's name),
   * `outbox_full` (`maxPending` writes wait), `store_full`, `store_failed`, `closed`; then nothing is left of the write.
   */
  async insert(document: NewDocument): Promise<Write> {
    const id = isObject(document) ? (document._id ?? randomId(this.#context.random, 20)) : undefined;
    return await this.#write({ operation: 'insert', documentId: id, data: document, unset: [] });
  }

  /**
   * Merges top-level fields into a document; one that does not exist is created. `null` is a value like any other, `unset` removes fields.
   * Visible, kept and rejected as with `insert`.
   */
  async update(id: DocumentId, fields: Readonly<Record<string, unknown>>, options: UpdateOptions = {}): Promise<Write> {
    return await this.#write({ operation: 'update', documentId: id, data: fields, unset: options.unset ?? [] });
  }

  /** Deletes a document, if it exists. Visible, kept and rejected as with `insert`. */
  async delete(id: DocumentId): Promise<Write> {
    return await this.#write({ operation: 'delete', documentId: id, data: {}, unset: [] });
  }

  /** The document as the user sees it now, or undefined. Rejects with ClientError `invalid_message` for what cannot be an id. */
  async get(id: DocumentId): Promise<T | undefined> {
    const key = documentKey(checkedId(id));
    await this.#context.ready;
    return this.#context.view.get(this.name, key) as T | undefined;
  }

  /**
   * A query over the local documents in RQL, `$0…$n` being the arguments; empty for all of them.
   * It asks the server for nothing: what is here is decided by subscriptions. Throws QueryError with the position when it does not parse.
   */
  query(filter = '', ...args: readonly Json[]): LiveQuery<T> {
    return new LiveQuery<T>({ ...this.#context, matches: predicateOf({ filter, args }), collection: this.name });
  }

  async #write(request: Omit<WriteRequest, 'collection'>): Promise<Write> {
    const write = checkedWrite({ ...request, collection: this.name });
    if (!this.#context.isReady()) await this.#context.ready;
    return await this.#context.writer.write(write);
  }
}
