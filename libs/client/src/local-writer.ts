import {
  clientFields,
  type DocumentId,
  documentFault,
  documentKey,
  fieldNameFault,
  isObject,
  isPlain,
  type JsonObject,
  type Operation,
  parseDocumentId,
} from '@tidemark/protocol/core';
import * as limits from '@tidemark/protocol/limits';
import { ClientError } from './client-error.ts';
import type { Emitter } from './emitter.ts';
import type { ClientEvents, SettledWrite } from './events.ts';
import type { LocalDatabase } from './local/database.ts';
import type { OutboxEntry } from './local/records.ts';
import { randomId } from './random-id.ts';
import { storeError } from './store-error.ts';
import { jsonBytes, wireChange } from './sync/wire-change.ts';

/** A write that is kept and shown; the server will hear of it. */
export interface Write {
  /** Names the write for the server and in the events `settled` and `compensated`. */
  readonly changeId: string;
  /** Of the document, also when the client has made it up. */
  readonly documentId: DocumentId;
  /** Resolves when the server has decided, whatever it decided; never rejects. Not across a restart: then the event `settled` tells. */
  settled(): Promise<SettledWrite>;
}

export interface WriteRequest {
  readonly operation: Operation;
  readonly collection: string;
  readonly documentId: unknown;
  readonly data: unknown;
  readonly unset: readonly string[];
}

/** A request that may be kept. */
type CheckedWrite = Pick<OutboxEntry, 'operation' | 'collection' | 'documentId' | 'data' | 'unset'>;

export interface LocalWriterOptions {
  readonly database: LocalDatabase;
  readonly events: Emitter<ClientEvents>;
  readonly random: () => number;
  /** Writes that may wait for the server. */
  readonly maxPending: number;
  /** Resolves when everything is in the local store. */
  readonly flushed: () => Promise<void>;
}

/** Takes the user's writes: shown at once, kept durably, sent by the engine. */
export class LocalWriter {
  readonly #options: LocalWriterOptions;
  readonly #unstored = new Set<string>();
  /** Those who wait for the server's word, by change: an outbox of thousands is not searched for each of its writes. */
  readonly #undecided = new Map<string, (write: SettledWrite) => void>();

  constructor(options: LocalWriterOptions) {
    this.#options = options;
    options.events.on('settled', (write) => {
      this.#undecided.get(write.changeId)?.(write);
      this.#undecided.delete(write.changeId);
    });
  }

  isStored(entry: OutboxEntry): boolean {
    return !this.#unstored.has(entry.id);
  }

  /** Writes of another tab: the local store has them not yet. */
  adopt(ids: readonly string[]): void {
    for (const id of ids) this.#unstored.add(id);
  }

  /** The local store has them now. */
  stored(entries: readonly OutboxEntry[]): void {
    for (const { id } of entries) this.#unstored.delete(id);
  }

  /**
   * Shows the write at once; resolves when it is in the local store. Throws ClientError: `outbox_full`, `store_full`, `store_failed`
   * and `closed`; then nothing is left of it.
   */
  async write(checked: CheckedWrite): Promise<Write> {
    const { database, flushed } = this.#options;
    const entry = this.#entryOf(checked);
    const settled = new Promise<SettledWrite>((resolve) => this.#undecided.set(entry.id, resolve));
    this.#unstored.add(entry.id);
    database.mutate(() => database.outbox.add(entry));
    try {
      await flushed();
    } catch (error) {
      this.#unstored.delete(entry.id);
      // One that is decided was kept: by a tab that led and died, whose successor has sent it.
      if (this.#undecided.delete(entry.id)) {
        database.mutate(() => database.outbox.remove(entry.id));
        throw storeError('the write could not be kept', error);
      }
    }
    return { changeId: entry.id, documentId: entry.documentId, settled: () => settled };
  }

  #entryOf(checked: CheckedWrite): OutboxEntry {
    const { database, random, maxPending } = this.#options;
    if (database.outbox.size >= maxPending) {
      throw new ClientError('outbox_full', `${maxPending} writes wait for the server already`);
    }
    const timestamp = database.clock.next();
    const id = `${database.meta.clientId}.${timestamp.toString(36)}.${randomId(random, 8)}`;
    const write = { ...checked, id, timestamp };
    return { ...write, key: documentKey(write.documentId), stage: 'accepted', bytes: jsonBytes(wireChange(write)) };
  }
}

/** A copy: what the program does to its objects afterwards changes nothing. Throws ClientError `invalid_document` and `invalid_message`. */
export function checkedWrite({ operation, collection, documentId, data, unset }: WriteRequest): CheckedWrite {
  checkCollection(collection);
  const id = checkedId(documentId);
  const fields = operation === 'delete' ? {} : checkedData(data);
  checkUnset(unset, fields);
  return { operation, collection, documentId: id, data: fields, unset: [...unset] };
}

function checkCollection(collection: string): void {
  if (collection.length === 0 || collection.length > limits.collectionName || collection.includes('\0')) {
    throw new ClientError(
      'invalid_message',
      `not the name of a collection: ${JSON.stringify(collection.slice(0, 40))}`,
    );
  }
}

export function checkedId(value: unknown): DocumentId {
  const id = parseDocumentId(value);
  if (id !== undefined) return id;
  const kinds = `a string of at most ${limits.documentIdBytes} bytes, {"$oid"} or {"$uuid"}`;
  throw new ClientError('invalid_message', `the id of a document must be ${kinds}`);
}

function checkedData(data: unknown): JsonObject {
  if (!isObject(data)) throw new ClientError('invalid_document', 'a document must be an object');
  const copy = copyOf({ ...data }) as JsonObject;
  const fault = documentFault(copy);
  if (fault !== undefined) throw new ClientError('invalid_document', fault);
  return clientFields(copy);
}

/** As in JSON a field that is undefined is no field; what is not JSON stays, to be refused. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isObject(value) || !isPlain(value)) return value;
  const fields = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(fields.map(([name, member]) => [name, copyOf(member)]));
}

function checkUnset(unset: readonly string[], data: JsonObject): void {
  if (unset.length > limits.unsetFields) throw new ClientError('invalid_document', 'too many fields to unset');
  for (const name of unset) {
    const fault = fieldNameFault(name) ?? (Object.hasOwn(data, name) && `${JSON.stringify(name)} is set, too`);
    if (fault) throw new ClientError('invalid_document', `unset: ${fault}`);
  }
}
