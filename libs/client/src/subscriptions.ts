import type { Millis } from '@tidemark/protocol/core';
import * as limits from '@tidemark/protocol/limits';
import { ClientError } from './client-error.ts';
import type { Clock } from './clock.ts';
import type { LocalDatabase } from './local/database.ts';
import { randomId } from './random-id.ts';
import { Subscription } from './subscription.ts';
import { type SubscriptionRequest, type SubscriptionSet, subscriptionKey } from './sync/subscription-set.ts';

/** How a subscription is made. */
export interface SubscribeOptions {
  /** A subscription that takes the name of another one supersedes it, without an empty view in between. */
  readonly name?: string;
}

export interface SubscriptionsOptions {
  readonly database: LocalDatabase;
  readonly subscriptions: SubscriptionSet;
  readonly random: () => number;
  readonly clock: Clock;
  readonly flushed: () => Promise<void>;
  readonly report: (error: unknown) => void;
  /** A refused subscription is asked for again. */
  readonly reconcile: () => void;
  /** A subscription of an earlier run that nobody has asked for since is dropped after this time. */
  readonly keepUnclaimedMs: Millis;
  /** What the programs of other tabs hold. */
  readonly claims: { isHeldElsewhere(id: string): boolean; tell(ids: readonly string[]): void } | undefined;
}

/** Hands out claims on subscriptions. Equal requests share one; the last claim that is given back ends it. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  /** What this program holds, by the id of the subscription. */
  readonly #claims = new Map<string, Set<Subscription>>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Throws QueryError for a filter that does not parse, ClientError `too_large` when there are too many. */
  subscribe(request: SubscriptionRequest): Subscription {
    const { database, subscriptions: set, clock } = this.#options;
    const key = subscriptionKey(request);
    const record = database.mutate(() => {
      const found = set.find(key) ?? this.#add(key, request);
      const named = request.name !== undefined && { name: request.name };
      const claimed = { ...found.record, claimedAt: clock.now(), ...named };
      set.update(claimed);
      this.#supersede(request.name, claimed.id);
      return claimed;
    });
    const release = () => this.#release(claim);
    const claim: Subscription = new Subscription(record, { ...this.#options, name: request.name, release });
    this.#claims.set(record.id, this.#claimsOf(record.id).add(claim));
    this.#tellClaims();
    if (set.retry(record.id)) this.#options.reconcile();
    return claim;
  }

  /** After loading: forgets what no program has asked for in a long time, and what two tabs that came at once both asked for. */
  dropUnclaimed(): void {
    const { database, subscriptions: set, clock, keepUnclaimedMs } = this.#options;
    const kept = new Set<string>();
    database.mutate(() => {
      for (const { record } of set.all()) {
        if (kept.has(record.key) || record.claimedAt + keepUnclaimedMs < clock.now())
          set.remove(record.id, { kind: 'ended' });
        else kept.add(record.key);
      }
    });
  }

  #add(key: string, { collection, filter, args, name }: SubscriptionRequest) {
    const { subscriptions: set, random, clock } = this.#options;
    if (set.all().length >= limits.subscriptionsPerSocket) {
      throw new ClientError('too_large', `a client may hold ${limits.subscriptionsPerSocket} subscriptions`);
    }
    const id = `s${randomId(random, 12)}`;
    return set.add({ id, key, collection, filter, args, claimedAt: clock.now(), ...(name !== undefined && { name }) });
  }

  /** Those who hold another subscription under this name lose it; who holds it otherwise does not. */
  #supersede(name: string | undefined, id: string): void {
    if (name === undefined) return;
    for (const { record } of this.#options.subscriptions.all()) {
      if (record.id === id) continue;
      for (const claim of this.#claimsOf(record.id)) {
        if (claim.name !== name) continue;
        this.#drop(claim, 'superseded');
        claim.supersede();
      }
      // Also of an earlier run, whose claims are gone.
      if (record.name === name) this.#endUnlessHeld(record.id, 'superseded');
    }
  }

  #release(claim: Subscription): void {
    this.#drop(claim, 'ended');
    this.#tellClaims();
  }

  #drop(claim: Subscription, kind: 'ended' | 'superseded'): void {
    this.#claimsOf(claim.id).delete(claim);
    this.#endUnlessHeld(claim.id, kind);
  }

  /** The last claim that is given back ends a subscription. */
  #endUnlessHeld(id: string, kind: 'ended' | 'superseded'): void {
    if (this.#claimsOf(id).size > 0) return;
    this.#claims.delete(id);
    if (!this.#options.claims?.isHeldElsewhere(id)) this.#options.subscriptions.remove(id, { kind });
  }

  #claimsOf(id: string): Set<Subscription> {
    return this.#claims.get(id) ?? new Set();
  }

  #tellClaims(): void {
    this.#options.claims?.tell([...this.#claims.keys()]);
  }
}
