import type { Document, Json } from '@tidemark/protocol/core';
import { type BoundQuery, bindQuery, canonical, compile, type Predicate, parseQuery } from '@tidemark/rql';
import type { LocalDatabase } from '../local/database.ts';
import type { MetaRecord, SubscriptionRecord } from '../local/records.ts';

/**
 * `pending`: not asked for yet, or again after an interruption. `bootstrapping`: so many documents have come.
 * `complete`: everything has come, and what changes comes. `error`: the server refused, or the local store has no room (`store_full`). `superseded`: another subscription took the name.
 * `ended`: it was unsubscribed.
 */
export type SubscriptionState =
  | { readonly kind: 'pending' }
  | { readonly kind: 'bootstrapping'; readonly received: number }
  | { readonly kind: 'complete' }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'ended' };

/** A subscription of this client, whoever asked for it. */
export interface ActiveSubscription {
  readonly record: SubscriptionRecord;
  readonly matches: Predicate;
  readonly state: SubscriptionState;
}

export interface StoreRefusal {
  readonly code: string;
  readonly message: string;
}

/** RQL, and the values of `$0…$n`. */
type QueryText = Pick<SubscriptionRequest, 'filter' | 'args'>;

export interface SubscriptionRequest {
  readonly collection: string;
  readonly filter: string;
  readonly args: readonly Json[];
  readonly name: string | undefined;
}

/** Told about everything that happens to the set. */
export interface SubscriptionWatcher {
  readonly added?: (subscription: ActiveSubscription) => void;
  readonly removed?: (subscription: ActiveSubscription) => void;
  readonly stateChanged?: (subscription: ActiveSubscription) => void;
}

/** The subscriptions that this client holds, across restarts, and which documents they stand for. */
export class SubscriptionSet {
  readonly #database: LocalDatabase;
  readonly #active = new Map<string, ActiveSubscription>();
  /** Ended here, but the server may not know it yet: it leaves out what it believes that we hold. */
  readonly #leaving = new Map<string, ActiveSubscription>();
  readonly #watchers = new Set<SubscriptionWatcher>();
  /** Those whose documents are all in the local store. */
  #stored: ReadonlySet<string> = new Set();
  /** Why the local store does not take what it lacks. */
  #refusal: StoreRefusal | undefined;

  constructor(database: LocalDatabase) {
    this.#database = database;
  }

  watch(watcher: SubscriptionWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Brings the set in line with the database's records (after loading, and when another tab has written). */
  reload(): void {
    this.#stored = this.coveredIds();
    for (const active of this.all()) {
      if (!this.#database.subscriptions.has(active.record.id)) this.#forget(active, { kind: 'ended' });
    }
    for (const record of this.#database.subscriptions.values()) {
      if (this.#active.has(record.id)) continue;
      this.#add(record, { kind: this.#stored.has(record.id) ? 'complete' : 'pending' });
    }
  }

  /** The state as programs see it: what has come is not here to stay as long as the local store does not take it. */
  shown({ record, state }: ActiveSubscription): SubscriptionState {
    if (!this.#refusal || !isTold(state) || this.#stored.has(record.id)) return state;
    return { kind: 'error', ...this.#refusal };
  }

  /** The local store has no room. Nothing is asked for again: what is here is stored as soon as there is room. */
  refused(refusal: StoreRefusal): void {
    this.#showing(() => {
      this.#refusal ??= refusal;
    });
  }

  /** The local store has taken everything. */
  stored(meta: MetaRecord | undefined): void {
    this.#showing(() => {
      this.#refusal = undefined;
      if (meta) this.#stored = new Set(meta.checkpoint?.subscriptions);
    });
  }

  get(id: string): ActiveSubscription | undefined {
    return this.#active.get(id);
  }

  all(): readonly ActiveSubscription[] {
    return [...this.#active.values()];
  }

  /** Those that the server may believe us to hold: also what has ended here. */
  known(): readonly ActiveSubscription[] {
    return [...this.all(), ...this.leaving()];
  }

  leaving(): readonly ActiveSubscription[] {
    return [...this.#leaving.values()];
  }

  /** The server knows that it has ended: what only this one held may go. */
  left(id: string): void {
    this.#leaving.delete(id);
  }

  find(key: string): ActiveSubscription | undefined {
    return this.all().find((active) => active.record.key === key);
  }

  /** Those that the checkpoint stands for. */
  coveredIds(): ReadonlySet<string> {
    return new Set(this.#database.meta.checkpoint?.subscriptions);
  }

  add(record: SubscriptionRecord): ActiveSubscription {
    return this.#database.mutate(() => {
      this.#database.putSubscription(record);
      return this.#add(record, { kind: 'pending' });
    });
  }

  /** Notes when it was asked for last, and under which name. */
  update(record: SubscriptionRecord): void {
    const active = this.#active.get(record.id);
    if (!active) return;
    this.#active.set(record.id, { ...active, record });
    this.#database.mutate(() => this.#database.putSubscription(record));
  }

  /** Ends a subscription. Its documents stay until they are evicted. */
  remove(id: string, state: SubscriptionState): void {
    const active = this.#active.get(id);
    if (!active) return;
    this.#database.mutate(() => {
      this.#database.removeSubscription(id);
      const { checkpoint } = this.#database.meta;
      if (checkpoint?.subscriptions.includes(id)) {
        this.coverOnly(
          checkpoint.token,
          checkpoint.subscriptions.filter((other) => other !== id),
        );
      }
      this.#forget(active, state);
    });
  }

  setState(id: string, state: SubscriptionState): void {
    const active = this.#active.get(id);
    if (!active) return;
    const next = { ...active, state };
    this.#active.set(id, next);
    this.#tell('stateChanged', next);
  }

  /** Moves all that are in one of the states to another one; false when there is none. */
  move(from: readonly SubscriptionState['kind'][], to: SubscriptionState): boolean {
    const moved = this.all().filter(({ state }) => from.includes(state.kind));
    for (const { record } of moved) this.setState(record.id, to);
    return moved.length > 0;
  }

  /** One that was refused may be asked for again; false when it was not. */
  retry(id: string): boolean {
    if (this.get(id)?.state.kind !== 'error') return false;
    this.setState(id, { kind: 'pending' });
    return true;
  }

  /**
   * The token stands for the subscriptions that are complete now. One that became complete while another of its collection is still
   * being told is left out: documents in doubt may match both, and they are dropped only in the end.
   */
  cover(token: string): void {
    const before = this.coveredIds();
    const covered = this.all().filter(({ record, state }) => {
      return state.kind === 'complete' && (before.has(record.id) || !this.has(record.collection, 'bootstrapping'));
    });
    this.coverOnly(
      token,
      covered.map(({ record }) => record.id),
    );
  }

  coverOnly(token: string, subscriptions: readonly string[]): void {
    if (subscriptions.length === 0) this.#database.clearCheckpoint();
    else this.#database.setMeta({ checkpoint: { token, subscriptions } });
  }

  /** Whether a subscription of the collection is in one of the states. */
  has(collection: string, ...kinds: readonly SubscriptionState['kind'][]): boolean {
    return this.all().some(({ record, state }) => record.collection === collection && kinds.includes(state.kind));
  }

  /** Documents of the collection that were subscribed to are still to come. */
  isIncomplete(collection: string): boolean {
    return this.has(collection, 'pending', 'bootstrapping');
  }

  /** Whether one of the subscriptions stands for the document. */
  holds(collection: string, document: Document, among: readonly ActiveSubscription[] = this.all()): boolean {
    return among.some((active) => active.record.collection === collection && active.matches(document));
  }

  /** Tells of those that look different afterwards. */
  #showing(change: () => void): void {
    const before = this.all().map((active) => ({ active, kind: this.shown(active).kind }));
    change();
    for (const { active, kind } of before) if (this.shown(active).kind !== kind) this.#tell('stateChanged', active);
  }

  #tell(what: keyof SubscriptionWatcher, subscription: ActiveSubscription): void {
    for (const watcher of this.#watchers) watcher[what]?.(subscription);
  }

  #add(record: SubscriptionRecord, state: SubscriptionState): ActiveSubscription {
    const active = { record, matches: predicateOf(record), state };
    this.#active.set(record.id, active);
    this.#tell('added', active);
    return active;
  }

  #forget(active: ActiveSubscription, state: SubscriptionState): void {
    this.#active.delete(active.record.id);
    const ended = { ...active, state };
    this.#leaving.set(active.record.id, ended);
    this.#tell('stateChanged', ended);
    this.#tell('removed', ended);
  }
}

/** Checks and names what is asked for. Throws QueryError. */
export function subscriptionKey(request: SubscriptionRequest): string {
  return `${request.collection}\u0000${canonical(boundQuery(request))}`;
}

/** Whether the server tells us what happens to its documents. */
export function isTold(state: SubscriptionState): boolean {
  return state.kind === 'complete' || state.kind === 'bootstrapping';
}

/** Which documents match. Throws QueryError. */
export function predicateOf(query: QueryText): Predicate {
  return compile(boundQuery(query));
}

function boundQuery({ filter, args }: QueryText): BoundQuery {
  return bindQuery(parseQuery(filter), { args });
}
