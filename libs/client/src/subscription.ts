import type { Json } from '@tidemark/protocol/core';
import { ClientError } from './client-error.ts';
import { Emitter, type Unsubscribe } from './emitter.ts';
import type { SubscriptionRecord } from './local/records.ts';
import { storeError } from './store-error.ts';
import type { SubscriptionSet, SubscriptionState } from './sync/subscription-set.ts';

export interface SubscriptionContext {
  readonly subscriptions: SubscriptionSet;
  /** As it was asked for: one that shares the subscription may have given it another. */
  readonly name: string | undefined;
  /** Gives the claim on the subscription back. */
  readonly release: () => void;
  readonly flushed: () => Promise<void>;
  readonly report: (error: unknown) => void;
}

/** A claim on the documents of a collection that match a filter: they are fetched, kept, and kept right. */
export class Subscription {
  /** Equal for claims that share a subscription. */
  readonly id: string;
  /** Its name. */
  readonly collection: string;
  /** RQL. */
  readonly filter: string;
  /** Values of `$0…$n`. */
  readonly args: readonly Json[];
  /** As in `SubscribeOptions`. */
  readonly name: string | undefined;
  readonly #context: SubscriptionContext;
  readonly #events: Emitter<{ state: SubscriptionState }>;
  readonly #unwatch: Unsubscribe;
  #state: SubscriptionState;

  /** @internal Made by `Client.subscribe`. */
  constructor(record: SubscriptionRecord, context: SubscriptionContext) {
    this.id = record.id;
    this.collection = record.collection;
    this.filter = record.filter;
    this.args = record.args;
    this.name = context.name;
    this.#context = context;
    this.#events = new Emitter(context.report);
    const { subscriptions } = context;
    const active = subscriptions.get(record.id);
    this.#state = active ? subscriptions.shown(active) : { kind: 'pending' };
    this.#unwatch = subscriptions.watch({
      stateChanged: (changed) => changed.record.id === this.id && this.#changed(subscriptions.shown(changed)),
    });
  }

  /** How far the server has got with it. */
  get state(): SubscriptionState {
    return this.#state;
  }

  /**
   * Calls the listener with every new state; one that throws hinders nobody. Returns the function that ends it; safe to call twice.
   */
  onState(listener: (state: SubscriptionState) => void): Unsubscribe {
    return this.#events.on('state', listener);
  }

  /**
   * Resolves when everything is here; waits as long as there is no connection. Rejects with ClientError when the server refuses
   * (`invalid_query`, `forbidden` …), when another one took the name (`superseded`), and when it was ended before (`closed`).
   */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = this.onState((state) => check(state));
      const check = (state: SubscriptionState) => {
        if (state.kind === 'pending' || state.kind === 'bootstrapping') return;
        stop();
        const error = errorOf(state);
        if (error) reject(error);
        else resolve();
      };
      check(this.#state);
    });
  }

  /**
   * Gives the claim back; after the last one the subscription ends, and documents that no other one holds leave this client. Safe to call twice.
   * Throws ClientError `store_full` and `store_failed`: then it has ended here, and is ended for good as soon as the store takes it;
   * `closed` when the client was closed: then the next run still has it.
   */
  async unsubscribe(): Promise<void> {
    if (isOver(this.#state)) return;
    this.#changed({ kind: 'ended' });
    this.#context.release();
    try {
      await this.#context.flushed();
    } catch (error) {
      throw storeError('the end of the subscription could not be kept', error);
    }
  }

  /** @internal Its name was taken, while others go on to hold the subscription. */
  supersede(): void {
    this.#changed({ kind: 'superseded' });
  }

  #changed(state: SubscriptionState): void {
    if (isOver(this.#state)) return;
    this.#state = state;
    if (isOver(state)) this.#unwatch();
    this.#events.emit('state', state);
  }
}

function isOver(state: SubscriptionState): boolean {
  return state.kind === 'ended' || state.kind === 'superseded';
}

function errorOf(state: SubscriptionState): ClientError | undefined {
  if (state.kind === 'error') return new ClientError(state.code as ClientError['code'], state.message);
  if (state.kind === 'superseded') return new ClientError('superseded', 'another subscription took the name');
  if (state.kind === 'ended') return new ClientError('closed', 'the subscription has ended');
  return undefined;
}
