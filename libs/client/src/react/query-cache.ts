import type { Document } from '@tidemark/protocol/core';
import type { Client } from '../client.ts';
import { type Clock, systemClock } from '../clock.ts';
import { QueryEntry, type QueryRequest } from './query-entry.ts';

export interface QueryCacheOptions {
  readonly clock?: Clock;
  /** How long a query that no component shows keeps running; 5 s by default. */
  readonly keepMs?: number;
}

/** The running queries of one client, each once. Bounded by what components ask for: an unused one leaves. */
export class QueryCache {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #entries = new Map<string, QueryEntry>();

  constructor(client: Client, { clock = systemClock, keepMs = 5_000 }: QueryCacheOptions = {}) {
    this.#client = client;
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry of the request, started if need be. Throws QueryError when the filter does not parse. */
  entry<T extends Document>(request: QueryRequest): QueryEntry<T> {
    const key = keyOf(request);
    const found = this.#entries.get(key) ?? this.#add(key, request);
    // The type of the documents is what the program says it is.
    return found as unknown as QueryEntry<T>;
  }

  #add(key: string, request: QueryRequest): QueryEntry {
    const entry: QueryEntry = new QueryEntry({
      client: this.#client,
      clock: this.#clock,
      keepMs: this.#keepMs,
      request,
      onStop: () => this.#entries.get(key) === entry && this.#entries.delete(key),
    });
    this.#entries.set(key, entry);
    return entry;
  }
}

function keyOf({ collection, filter, args, sort, limit, subscribe }: QueryRequest): string {
  return JSON.stringify([collection, filter, args, sort, limit ?? null, subscribe]);
}

/**
 * Keyed by client, not kept in a component: a rendering that suspends loses its state, and the next attempt must find the query
 * that the first has started.
 */
const caches = new WeakMap<Client, QueryCache>();

export function queriesOf(client: Client): QueryCache {
  const found = caches.get(client) ?? new QueryCache(client);
  caches.set(client, found);
  return found;
}
