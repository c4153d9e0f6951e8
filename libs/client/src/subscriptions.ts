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
  readonly #claims = new Map<string, number>();

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
    this.#claim(record.id, (this.#claims.get(record.id) ?? 0) + 1);
    if (set.retry(record.id)) this.#options.reconcile();
    return new Subscription(record, { ...this.#options, release: (id) => this.#release(id) });
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

  #supersede(name: string | undefined, id: string): void {
    const { subscriptions: set } = this.#options;
    for (const { record } of set.all()) {
      if (name === undefined || record.name !== name || record.id === id) continue;
      this.#claims.delete(record.id);
      set.remove(record.id, { kind: 'superseded' });
    }
  }

  #release(id: string): void {
    const count = (this.#claims.get(id) ?? 0) - 1;
    this.#claim(id, count);
    if (count > 0 || this.#options.claims?.isHeldElsewhere(id)) return;
    this.#options.subscriptions.remove(id, { kind: 'ended' });
  }

  #claim(id: string, count: number): void {
    if (count > 0) this.#claims.set(id, count);
    else this.#claims.delete(id);
    this.#options.claims?.tell([...this.#claims.keys()]);
  }
}
