import type { DocumentId } from '@tidemark/protocol/core';
import type { Client } from '../client.ts';
import { ClientError } from '../client-error.ts';
import type { SettledWrite } from '../events.ts';
import type { Write } from '../local-writer.ts';
import { type ClientShare, SharedClients } from './shared-clients.ts';

/** How many changes wait. */
export interface PendingOperations {
  /** Changes that wait for the server's ack. */
  readonly pending: number;
  /** Those of them that are on their way. */
  readonly optimistic: number;
}

/** State of the process, because a store of a user has one writer in it, however many instances a program makes. */
const sharedClients = new SharedClients();

/**
 * The client of the original server, with its methods and their meaning, over `createClient`.
 * Its queue is durable and belongs to the user and the local store: another instance goes on with it.
 */
export class SyncClient {
  readonly #serverUrl: string;
  readonly #userId: string;
  readonly #localMongoUri: string;
  readonly #token: string | undefined;
  #share: Promise<ClientShare> | undefined;
  #client: Client | undefined;
  #wantsConnection = false;
  /** What the getters tell while the store is not open. */
  #remembered = { pending: 0, lastSync: 0 };
  /** Calls of `makeChange` that are at work. */
  readonly #working = new Set<Promise<void>>();
  /** It was disconnected: then nothing is kept open that would keep the program from ending. */
  #isResting = false;

  /** @param localMongoUri where the queue is kept: `mongodb://…`, or `file:///folder` for a store without MongoDB */
  constructor(serverUrl: string, userId: string, localMongoUri: string, token?: string) {
    this.#serverUrl = serverUrl;
    this.#userId = userId;
    this.#localMongoUri = localMongoUri;
    this.#token = token;
  }

  /** Opens the local store. Throws ClientError `store_failed`. */
  async initialize(): Promise<void> {
    await this.#open();
  }

  /**
   * Connects, and from then on again whenever the connection is lost. Resolves when the server knows us, or when it cannot be
   * reached right now. Throws ClientError when the server refuses.
   */
  async connect(): Promise<void> {
    this.#wantsConnection = true;
    this.#isResting = false;
    const share = await this.#open();
    share.connect();
    await firstAttempt(share.client);
  }

  /** Disconnects and closes the store. Changes can still be made: they are queued. */
  async disconnect(): Promise<void> {
    this.#wantsConnection = false;
    this.#isResting = true;
    await this.#rest();
  }

  /**
   * Makes a change. Online it resolves after the server's ack, also when a newer write won; throws ClientError when the server
   * rejects it. Offline it resolves when the change is queued.
   */
  async makeChange(
    operation: 'insert' | 'update' | 'delete',
    collection: string,
    documentId: DocumentId,
    data: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const making = this.#makeChange(operation, collection, { documentId, data });
    this.#working.add(making);
    try {
      await making;
    } finally {
      this.#working.delete(making);
      if (this.#isResting) await this.#rest();
    }
  }

  /** Whether it is connected and the server knows us. */
  isOnline(): boolean {
    return this.#wantsConnection && this.#client?.status.connected === true;
  }

  /** Changes that wait for the server's ack. */
  getPendingChangesCount(): number {
    return this.#client?.status.pending ?? this.#remembered.pending;
  }

  /** Changes that are on their way to the server; those that wait for a connection are not among them. */
  getOptimisticChangesCount(): number {
    return this.isOnline() ? this.getPendingChangesCount() : 0;
  }

  /** Both counts. */
  getAllPendingOperations(): PendingOperations {
    return { pending: this.getPendingChangesCount(), optimistic: this.getOptimisticChangesCount() };
  }

  /** When the server last said that we are up to date, in ms since 1970; 0: never. */
  getLastSyncTimestamp(): number {
    return this.#client?.status.lastSync ?? this.#remembered.lastSync;
  }

  async #makeChange(
    operation: 'insert' | 'update' | 'delete',
    collection: string,
    { documentId, data }: { documentId: DocumentId; data: Readonly<Record<string, unknown>> },
  ): Promise<void> {
    const { client } = await this.#open();
    const target = client.collection(collection);
    const write = {
      insert: () => target.insert({ ...data, _id: documentId }),
      update: () => target.update(documentId, data),
      delete: () => target.delete(documentId),
    }[operation];
    const accepted = await write();
    if (this.isOnline()) await this.#acked(client, accepted);
  }

  /** Waits for the server's word, as long as there is a connection to hear it over. */
  async #acked(client: Client, write: Write): Promise<void> {
    const settled = await new Promise<SettledWrite | undefined>((resolve) => {
      const stop = client.on('status', ({ connected }) => {
        if (connected) return;
        stop();
        resolve(undefined);
      });
      void write.settled().then((outcome) => {
        stop();
        resolve(outcome);
      });
    });
    if (settled?.outcome !== 'rejected') return;
    throw new ClientError((settled.code ?? 'internal') as ClientError['code'], settled.error ?? 'rejected');
  }

  async #open(): Promise<ClientShare> {
    this.#share ??= sharedClients.open({
      url: this.#serverUrl,
      userId: this.#userId,
      storeUri: this.#localMongoUri,
      token: this.#token,
    });
    try {
      const share = await this.#share;
      this.#client = share.client;
      return share;
    } catch (error) {
      this.#share = undefined;
      throw error;
    }
  }

  /** Closes the store, unless a call is at work that will do it. */
  async #rest(): Promise<void> {
    const opened = this.#share;
    if (!opened || this.#working.size > 0) {
      const share = await opened?.catch(() => undefined);
      // It may have been told to connect meanwhile.
      if (!this.#wantsConnection) share?.disconnect();
      return;
    }
    this.#share = undefined;
    const share = await opened.catch(() => undefined);
    if (!share) return;
    share.disconnect();
    const { pending, lastSync = 0 } = share.client.status;
    this.#remembered = { pending, lastSync };
    // Unless it was opened again meanwhile.
    if (!this.#share) this.#client = undefined;
    await share.release();
  }
}

/** Resolves with the first thing that is known: connected, or not reachable. Throws ClientError when the server refuses. */
async function firstAttempt(client: Client): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let stop = () => {};
    const check = () => {
      const { connection, connected, problem } = client.status;
      if (connection === 'connecting') return;
      stop();
      if (connection !== 'blocked' || connected) resolve();
      else reject(new ClientError((problem?.code ?? 'internal') as ClientError['code'], problem?.message ?? 'refused'));
    };
    stop = client.on('status', check);
    check();
  });
}
