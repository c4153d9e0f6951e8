import { type Client, createClient } from '../client.ts';
import type { TokenSource } from '../sync/engine.ts';
import { openLocalStore } from './open-local-store.ts';

export interface SharedClientRequest {
  readonly url: string;
  readonly userId: string;
  readonly storeUri: string;
  readonly token: string | undefined;
}

interface Shared {
  readonly client: Client;
  uses: number;
  /** Those who want a connection. */
  readonly connected: Set<object>;
  token: string | undefined;
}

/** A share in an open client. */
export interface ClientShare {
  readonly client: Client;
  connect(): void;
  disconnect(): void;
  /** Gives the share back; the last one closes the client. Safe to call twice. */
  release(): Promise<void>;
}

/** One client per user and store in this process, since a store takes one writer: those who ask for the same share it. */
export class SharedClients {
  readonly #shared = new Map<string, Shared>();
  /** Clients that are closing: their stores are not free yet. */
  readonly #closing = new Map<string, Promise<void>>();

  async open(request: SharedClientRequest): Promise<ClientShare> {
    const key = JSON.stringify([request.url, request.userId, request.storeUri]);
    while (this.#closing.has(key)) await this.#closing.get(key);
    const shared = this.#shared.get(key) ?? this.#make(key, request);
    shared.uses += 1;
    shared.token = request.token ?? shared.token;
    const share = this.#shareOf(key, shared);
    try {
      await shared.client.ready;
    } catch (error) {
      await share.release();
      throw error;
    }
    return share;
  }

  #make(key: string, { url, userId, storeUri, token }: SharedClientRequest): Shared {
    const source: TokenSource | undefined = token === undefined ? undefined : () => shared.token ?? token;
    const store = openLocalStore(storeUri, userId);
    const auth = { userId, ...(source !== undefined && { token: source }) };
    const client = createClient({ url, auth, store, connect: false });
    const shared: Shared = { client, uses: 0, connected: new Set(), token };
    this.#shared.set(key, shared);
    return shared;
  }

  #shareOf(key: string, shared: Shared): ClientShare {
    const holder = {};
    let isReleased = false;
    const disconnect = () => {
      if (shared.connected.delete(holder) && shared.connected.size === 0) shared.client.pause();
    };
    return {
      client: shared.client,
      connect: () => {
        shared.connected.add(holder);
        shared.client.resume();
      },
      disconnect,
      release: async () => {
        if (isReleased) return;
        isReleased = true;
        disconnect();
        await this.#release(key, shared);
      },
    };
  }

  async #release(key: string, shared: Shared): Promise<void> {
    shared.uses -= 1;
    if (shared.uses > 0) return;
    this.#shared.delete(key);
    const closed = shared.client.close().finally(() => this.#closing.delete(key));
    this.#closing.set(key, closed);
    await closed;
  }
}
