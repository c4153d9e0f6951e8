import type { Document } from '@tidemark/protocol/core';
import type { SocketFactory, SocketHandlers } from '../src/connection/socket.ts';
import { collection } from './documents.ts';

const documentsPerPage = 500;
const limits = { maxBatchSize: 100, maxMessageBytes: 1_048_576, rateLimitMax: 0, rateLimitWindowMs: 0 };
const joined = { userId: 'user-17', timestamp: 1_700_000_000_000, protocol: 1, historyId: 'h', subscriptionVersion: 1 };

/**
 * The server's end of a socket without a server: it sends the documents to the one subscription of the join, and what `change` says.
 * Pages are kept as JSON, so that a client pays for reading them as it would after a network.
 */
export class FakeServer {
  readonly #pages: readonly string[];
  /** Runs it later, in a turn of its own. */
  readonly #turn: (run: () => void) => void;
  #handlers: SocketHandlers | undefined;
  #version: number;

  constructor(documents: readonly Document[], turn: (run: () => void) => void) {
    this.#turn = turn;
    this.#version = documents.length;
    this.#pages = Array.from({ length: Math.ceil(documents.length / documentsPerPage) }, (_, page) =>
      JSON.stringify(documents.slice(page * documentsPerPage, (page + 1) * documentsPerPage)),
    );
  }

  readonly socket: SocketFactory = (_request, handlers) => {
    this.#handlers = handlers;
    this.#turn(() => handlers.opened());
    return {
      request: (event, payload, answered) => this.#answer(event, payload, answered),
      close: () => {
        this.#handlers = undefined;
      },
    };
  };

  /** Delivers one update, synchronously: the client is done with it when this returns. */
  change(documentId: string, data: Readonly<Record<string, unknown>>): void {
    this.#version += 1;
    const version = this.#version;
    const timestamp = 1_700_000_000_000 + version;
    const delivered = { id: `c${version}`, userId: 'user-18', operation: 'update', collection, documentId, version };
    const fields = { ...data, sync_updated_at: timestamp, sync_version: version };
    this.#handlers?.received('sync:changes', [
      [{ ...delivered, timestamp, data: fields }],
      { checkpoint: `v${version}` },
    ]);
  }

  #answer(event: string, payload: unknown, answered: (answer: unknown) => void): void {
    this.#turn(() => {
      if (event === 'sync:join') answered({ success: true, ...joined, checkpoint: 'c', limits });
      else answered({ success: true, checkpoint: 'c' });
      if (event === 'sync:join') this.#send(payload as { subscriptions?: { id: string }[] }, 0);
    });
  }

  #send(join: { subscriptions?: { id: string }[] }, page: number): void {
    const text = this.#pages[page];
    const subscription = join.subscriptions?.[0]?.id;
    if (text === undefined || subscription === undefined) return;
    const hasMore = page + 1 < this.#pages.length;
    const data = JSON.parse(text) as unknown;
    const last = hasMore ? {} : { checkpoint: 'c' };
    this.#handlers?.received('sync:bootstrap', [{ subscription, collection, data, page, hasMore, ...last }]);
    this.#turn(() => this.#send(join, page + 1));
  }
}
