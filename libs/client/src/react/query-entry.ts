import type { Document, Json } from '@tidemark/protocol/core';
import type { Client } from '../client.ts';
import type { Clock } from '../clock.ts';
import type { QueryDiff } from '../query/diff.ts';
import type { LiveQuery } from '../query/live-query.ts';
import type { SortDirection } from '../query/sort.ts';
import type { Subscription } from '../subscription.ts';
import type { SubscriptionState } from '../sync/subscription-set.ts';

export interface QueryRequest {
  readonly collection: string;
  readonly filter: string;
  readonly args: readonly Json[];
  readonly sort: readonly (readonly [path: string, direction: SortDirection])[];
  readonly limit: number | undefined;
  /** Whether the server is asked for the documents, too. */
  readonly subscribe: boolean;
}

/** What a component sees of a query. A new object with every change, and only then. */
export interface QueryState<T extends Document = Document> {
  /** The same array until it changes. */
  readonly documents: readonly T[];
  /** How `documents` differ from those before; undefined for the first. */
  readonly diff: QueryDiff | undefined;
  /** The local store is not open yet: nothing can be shown. */
  readonly isLoading: boolean;
  /** How far the server has got with it; undefined without a subscription, or before it is made. */
  readonly sync: SubscriptionState | undefined;
  /** The store cannot be read, or the subscription cannot be made. */
  readonly error: Error | undefined;
}

/** The state before anything is known, and on a server that renders. */
export const loading: QueryState<never> = Object.freeze({
  documents: Object.freeze([]) as readonly never[],
  diff: undefined,
  isLoading: true,
  sync: undefined,
  error: undefined,
});

export interface QueryEntryOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly request: QueryRequest;
  /** How long it lives on with nobody listening. */
  readonly keepMs: number;
  readonly onStop: () => void;
}

/**
 * One query and its subscription, shared by all components that ask for the same. It runs from its first use in a render, so that
 * the first result is there at once, and until nobody has listened for a while: renderings that React throws away, the double
 * mounting of StrictMode and a change of pages cost no new subscription.
 */
export class QueryEntry<T extends Document = Document> {
  readonly #options: QueryEntryOptions;
  readonly #query: LiveQuery<T>;
  readonly #listeners = new Set<() => void>();
  #state: QueryState<T> = loading;
  #stopObserving: (() => void) | undefined;
  #subscription: Subscription | undefined;
  /** Counts starts, so that what a stopped run was waiting for does not reach the next. */
  #run = 0;
  #cancelStop: () => void = () => {};
  #opened = new Signal();
  #synced = new Signal();

  /** Throws QueryError when the filter does not parse. */
  constructor(options: QueryEntryOptions) {
    this.#options = options;
    const { client, request } = options;
    let query = client.collection<T>(request.collection).query(request.filter, ...request.args);
    for (const [path, direction] of request.sort) query = query.sort(path, direction);
    this.#query = request.limit === undefined ? query : query.limit(request.limit);
    this.#start();
    this.#stopLater(graceMs);
  }

  /** Resolves when the local documents are known, or never will be; and once in a while, for who waits to ask again. */
  get opened(): Promise<void> {
    return this.#opened.wait();
  }

  /** Resolves when the server's documents are here, or it has refused them; and once in a while, for who waits to ask again. */
  get synced(): Promise<void> {
    return this.#synced.wait();
  }

  readonly snapshot = (): QueryState<T> => this.#state;

  /** For useSyncExternalStore. */
  readonly listen = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#cancelStop();
    if (!this.#stopObserving) this.#start();
    this.#listeners.add(own);
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#stopLater(this.#options.keepMs);
    };
  };

  #start(): void {
    const { client, request } = this.#options;
    const run = ++this.#run;
    client.ready.catch((error) => this.#fail(run, error));
    this.#stopObserving = this.#query.observe(({ documents, diff }) => {
      this.#set({ documents, diff, isLoading: false });
    });
    if (request.subscribe) this.#subscribe(run).catch((error) => this.#fail(run, error));
  }

  async #subscribe(run: number): Promise<void> {
    const { client, request } = this.#options;
    const subscription = await client.subscribe(request.collection, request.filter, request.args);
    if (run !== this.#run) return await subscription.unsubscribe();
    this.#subscription = subscription;
    subscription.onState((sync) => run === this.#run && this.#set({ sync }));
    this.#set({ sync: subscription.state });
  }

  #stopLater(ms: number): void {
    this.#cancelStop();
    this.#cancelStop = this.#options.clock.after(ms, () => {
      if (this.#opened.isAwaited || this.#synced.isAwaited) this.#askAround();
      else this.#stop();
    });
  }

  /** Whoever is suspended and still there renders once more, and so asks to go on. */
  #askAround(): void {
    this.#opened = this.#opened.renewed();
    this.#synced = this.#synced.renewed();
    this.#stopLater(graceMs);
  }

  #stop(): void {
    this.#run += 1;
    this.#stopObserving?.();
    this.#stopObserving = undefined;
    this.#subscription?.unsubscribe().catch(() => {});
    this.#subscription = undefined;
    this.#options.onStop();
  }

  #fail(run: number, error: unknown): void {
    if (run === this.#run) this.#set({ error: error instanceof Error ? error : new Error(String(error)) });
  }

  #set(change: Partial<QueryState<T>>): void {
    this.#state = { ...this.#state, ...change };
    const { isLoading, error, sync } = this.#state;
    if (!isLoading || error) this.#opened.resolve();
    if (error || (sync && sync.kind !== 'pending' && sync.kind !== 'bootstrapping')) this.#synced.resolve();
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A rendering that has begun may take this long to be shown (it waits in a Suspense boundary, say). */
const graceMs = 60_000;

/** What a suspended rendering waits for. */
class Signal {
  /** Somebody may be suspended until it resolves. */
  isAwaited = false;
  #isResolved = false;
  #resolve = () => {};
  readonly #promise = new Promise<void>((resolve) => {
    this.#resolve = resolve;
  });

  wait(): Promise<void> {
    this.isAwaited = !this.#isResolved;
    return this.#promise;
  }

  resolve(): void {
    this.isAwaited = false;
    this.#isResolved = true;
    this.#resolve();
    // React reads it from there: a rendering that comes later does not suspend.
    Object.assign(this.#promise, { status: 'fulfilled', value: undefined });
  }

  /** Wakes who waits; one to wait for anew, unless what was waited for has happened. */
  renewed(): Signal {
    if (this.#isResolved) return this;
    this.resolve();
    return new Signal();
  }
}
