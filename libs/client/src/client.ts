import type { Document, Json } from '@tidemark/protocol/core';
import { ClientError } from './client-error.ts';
import type { ClientInspection, ClientOptions } from './client-options.ts';
import { systemClock } from './clock.ts';
import { Collection } from './collection.ts';
import { defaultBackoff } from './connection/backoff.ts';
import { socketIo } from './connection/socket-io.ts';
import { Emitter, type Unsubscribe } from './emitter.ts';
import type { ClientEvents } from './events.ts';
import { HybridClock } from './hybrid-clock.ts';
import { LocalDatabase } from './local/database.ts';
import { Flusher } from './local/flusher.ts';
import { MemoryStore } from './local/memory-store.ts';
import type { OutboxEntry } from './local/records.ts';
import { LocalWriter } from './local-writer.ts';
import { randomId } from './random-id.ts';
import { mayRetryLater } from './retry.ts';
import { connectionStatus, type SyncStatus } from './status.ts';
import { storeError } from './store-error.ts';
import type { Subscription } from './subscription.ts';
import { type SubscribeOptions, Subscriptions } from './subscriptions.ts';
import type { ConnectionCommand, SyncDriver } from './sync/driver.ts';
import { SyncEngine } from './sync/engine.ts';
import { SubscriptionSet } from './sync/subscription-set.ts';
import type { SharedDriver, TabClient } from './tabs/shared-driver.ts';
import { SyncWaiters, type WaitOptions } from './wait-for-sync.ts';

/**
 * An offline-first client: works on its local store, and keeps it and the server in step whenever there is a connection.
 * Made by `createClient`.
 */
export class Client {
  /** Resolves when the local store has been read; rejects with ClientError when it cannot be. */
  readonly ready: Promise<void>;
  readonly #options: ClientOptions;
  readonly #core: Core;
  readonly #flusher: Flusher;
  readonly #writer: LocalWriter;
  readonly #subscriptions: Subscriptions;
  readonly #driver: SyncDriver;
  readonly #collections = new Map<string, Collection>();
  readonly #waiters = new SyncWaiters();
  readonly #tabs: SharedDriver | undefined;
  #isReady = false;
  #wantsConnection: boolean;
  #closing: Promise<void> | undefined;
  #status: SyncStatus;

  /** Use `createClient`. */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.#wantsConnection = options.connect !== false;
    this.#core = coreOf(options, () => this.#flusher.flushed());
    this.#flusher = this.#makeFlusher();
    this.#writer = new LocalWriter({ ...this.#core, maxPending: options.maxPending ?? 10_000 });
    this.#tabs = options.tabs?.(this.#tabClient());
    this.#driver = this.#tabs ?? this.#makeEngine();
    this.#subscriptions = new Subscriptions({
      ...this.#core,
      reconcile: () => this.#driver.reconcile(),
      claims: this.#tabs?.claims,
      keepUnclaimedMs: options.keepUnclaimedMs ?? 7 * 86_400_000,
    });
    this.#status = this.#makeStatus();
    this.#core.database.onDirty = () => {
      this.#flusher.schedule();
      this.#changed();
    };
    this.ready = this.#open();
    this.ready.catch(() => {});
  }

  /** Where this client stands; the same object until it changes. */
  get status(): SyncStatus {
    return this.#status;
  }

  /**
   * Calls the listener with every event of that name from now on; a listener that throws hinders nobody.
   * Returns the function that ends it; safe to call twice.
   */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): Unsubscribe {
    return this.#core.events.on(name, listener);
  }

  /**
   * A collection by its name; the same object for the same name. `T` is what the program says its documents are: nothing checks it.
   */
  collection<T extends Document = Document>(name: string): Collection<T> {
    const found = this.#collections.get(name) ?? this.#makeCollection(name);
    this.#collections.set(name, found);
    // The type of the documents is what the program says it is.
    return found as unknown as Collection<T>;
  }

  /**
   * Asks for the documents of a collection that match, now and from now on, across restarts. Resolves when the claim is made, online
   * or not; `Subscription.ready` waits for the documents. Equal requests share one subscription.
   *
   * Rejects with QueryError (`position`) for a filter that does not parse, with ClientError `too_large` for more than 500
   * subscriptions, `store_failed` when the local store cannot be read, and `closed`.
   *
   * @param filter RQL; empty for all that the user may read
   * @param args values of `$0…$n`: JSON, with Extended JSON for other types
   */
  async subscribe(
    collection: string,
    filter = '',
    args: readonly Json[] = [],
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    await this.ready;
    this.#checkOpen();
    return this.#subscriptions.subscribe({ collection, filter, args, name: options.name });
  }

  /** Writes that wait for their ack, or for the server's version to come back, in order. */
  outbox(): readonly OutboxEntry[] {
    return [...this.#core.database.outbox.entries()];
  }

  /** For tools: whose data this is, the tidemark, and every subscription with its state. */
  inspect(): ClientInspection {
    const { database, subscriptions } = this.#core;
    const { userId, clientId, checkpoint } = database.meta;
    const all = subscriptions.all().map((active) => ({ ...active.record, state: subscriptions.shown(active) }));
    return { userId, clientId, checkpoint: checkpoint?.token, subscriptions: all };
  }

  /** Disconnects; the client goes on working locally. */
  pause(): void {
    this.#command('pause');
  }

  /** Connects, also after the server refused; as soon as the local store has been read. */
  resume(): void {
    this.#command('resume');
  }

  /** Tries at once instead of waiting: the network may be back. */
  wake(): void {
    this.#command('wake');
  }

  /**
   * Resolves when all that was written here is decided and shown, all subscriptions are complete (or refused for good), and everything
   * that others had written before the call is here. Rejects with ClientError `closed` or `timeout`.
   */
  async waitForSync(options: WaitOptions = {}): Promise<void> {
    await this.ready;
    this.#checkOpen();
    await this.#waiters.wait({
      ...options,
      clock: this.#core.clock,
      isClosed: () => this.#status.connection === 'closed',
      isInSync: () => this.#isInSync(),
      mark: () => this.#driver.mark(),
    });
  }

  /** Stops for good, after everything is in the local store, and closes the store. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #open(): Promise<void> {
    const { database, store, subscriptions } = this.#core;
    try {
      database.load(await (this.#tabs ?? store).load());
    } catch (error) {
      throw storeError('the local store cannot be read', error);
    }
    subscriptions.reload();
    if (this.#leads) this.#subscriptions.dropUnclaimed();
    this.#isReady = true;
    this.#changed();
    if (this.#tabs) this.#tabs.loaded();
    else if (this.#wantsConnection) this.resume();
  }

  /** A client whose store is not read yet does not know whose it is, and would take itself for a new one. */
  #command(command: ConnectionCommand): void {
    if (this.#tabs || this.#isReady) this.#driver.command(command);
    else if (command !== 'wake') this.#wantsConnection = command === 'resume';
  }

  async #close(): Promise<void> {
    await this.ready.catch(() => {});
    // The tab that leads still has to write what this one has asked it for.
    if (this.#tabs) await this.#flusher.flushed().catch(() => {});
    this.#driver.close();
    if (this.#leads) await this.#flusher.flushed().catch(() => {});
    await this.#flusher.stop();
    await this.#core.store.close();
    this.#tabs?.release();
  }

  #makeFlusher(): Flusher {
    return new Flusher({
      ...this.#core,
      write: (batch) => (this.#tabs ?? this.#core.store).write(batch),
      written: ({ putEntries, meta }) => {
        this.#writer.stored(putEntries);
        this.#core.subscriptions.stored(meta);
        this.#driver.pump();
      },
      failed: (error) => this.#storeFailed(error),
    });
  }

  #storeFailed(cause: unknown): void {
    const { code, message } = storeError('the local store failed', cause);
    // A tab that follows hears of subscriptions from the one that leads.
    if (code === 'store_full' && this.#leads) this.#core.subscriptions.refused({ code, message });
    this.#core.events.emit('problem', { code, message, cause });
  }

  #makeEngine(): SyncEngine {
    const { url, auth = {}, socket = socketIo(), backoff = defaultBackoff, requestTimeoutMs = 30_000 } = this.#options;
    return new SyncEngine({
      ...this.#core,
      url,
      auth,
      socket,
      backoff,
      requestTimeoutMs,
      isStored: (entry) => this.#writer.isStored(entry),
      changed: () => {
        this.#changed();
        this.#tabs?.tellState();
      },
      caughtUp: () => {
        this.#waiters.check(true);
        this.#tabs?.tellCaughtUp();
      },
    });
  }

  #tabClient(): TabClient {
    return {
      ...this.#core,
      makeEngine: () => this.#makeEngine(),
      adopt: (ids) => this.#writer.adopt(ids),
      changed: () => this.#changed(),
      caughtUp: () => this.#waiters.check(true),
      connects: this.#options.connect !== false,
    };
  }

  #makeCollection(name: string): Collection {
    return new Collection(name, {
      ...this.#core,
      view: this.#core.database.view,
      writer: this.#writer,
      ready: this.ready,
      isReady: () => this.#isReady,
    });
  }

  #changed(): void {
    const next = this.#makeStatus();
    const before = this.#status;
    if ((Object.keys(next) as (keyof SyncStatus)[]).some((name) => next[name] !== before[name])) {
      this.#status = next;
      this.#core.events.emit('status', next);
    }
    // Also a subscription that ends may bring us in step.
    this.#waiters.check(false);
  }

  #makeStatus(): SyncStatus {
    const { state } = this.#driver;
    const { outbox, meta } = this.#core.database;
    return {
      connection: connectionStatus(state),
      connected: state.kind === 'catchingUp' || state.kind === 'live',
      pending: outbox.pendingCount,
      optimistic: outbox.size,
      lastSync: meta.lastSync,
      problem: 'problem' in state ? state.problem : undefined,
    };
  }

  /** Whether this client writes to its store and follows no other. */
  get #leads(): boolean {
    return this.#tabs?.isLeading !== false;
  }

  #isInSync(): boolean {
    // What is refused for good will never come.
    const isSettled = this.#core.subscriptions
      .all()
      .every(({ state }) => state.kind === 'complete' || (state.kind === 'error' && !mayRetryLater(state.code)));
    return this.#status.connection === 'live' && this.#status.optimistic === 0 && isSettled;
  }

  #checkOpen(): void {
    if (this.#closing) throw new ClientError('closed', 'the client was closed');
  }
}

type Core = ReturnType<typeof coreOf>;

/** What the parts of a client have in common. */
function coreOf(options: ClientOptions, flushed: () => Promise<void>) {
  const { clock = systemClock, random = Math.random, store = new MemoryStore() } = options;
  const events = new Emitter<ClientEvents>(report);
  const database = new LocalDatabase(new HybridClock(() => clock.now()), randomId(random, 12));
  return { clock, random, store, events, database, subscriptions: new SubscriptionSet(database), flushed, report };
}

/** A listener threw: nobody waits for it, but it must not go unseen. */
function report(error: unknown): void {
  console.error('a listener of the Tidemark client threw', error);
}

/** Opens the local store and connects. Returns at once; methods wait for `ready` by themselves. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}
