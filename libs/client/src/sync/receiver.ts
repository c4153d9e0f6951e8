import type { BootstrapErrorMessage, BootstrapMessage, DeliveredMessage, Document } from '@tidemark/protocol/core';
import type { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import type { LocalDatabase } from '../local/database.ts';
import type { Settlement } from './settlement.ts';
import type { ActiveSubscription, SubscriptionSet } from './subscription-set.ts';

export interface ReceiverOptions {
  readonly database: LocalDatabase;
  readonly subscriptions: SubscriptionSet;
  readonly settlement: Settlement;
  readonly events: Emitter<ClientEvents>;
  readonly now: () => number;
}

const started = { kind: 'bootstrapping', received: 0 } as const;

/** Applies what the server sends, each message in one atomic step together with its checkpoint. */
export class Receiver {
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /**
   * A join was accepted: what the checkpoint covers goes on, the rest comes whole.
   * What nothing covered stands for is in doubt until then: it was held through an interrupted bootstrap or before a reset.
   */
  joined(bootstrapped: readonly ActiveSubscription[]): void {
    const { database, subscriptions } = this.#options;
    database.mutate(() => {
      const isNew = new Set(bootstrapped.map((active) => active.record.id));
      const covered = subscriptions.covered().filter((active) => !isNew.has(active.record.id));
      if (covered.length === 0) database.documents.forgetDeletes();
      for (const collection of database.documents.collections()) {
        database.documents.markStale(collection, (document) => !subscriptions.holds(collection, document, covered));
      }
      for (const active of bootstrapped) subscriptions.setState(active.record.id, started);
      for (const collection of database.documents.collections()) this.sweep(collection);
    });
  }

  /** A subscription on a running socket was accepted. */
  subscribed(id: string): void {
    this.#options.subscriptions.setState(id, started);
  }

  /** The checkpoint cannot be served: everything comes again, and until it has, what is held stays in view. */
  reset(reason: string): void {
    const { database, subscriptions, events } = this.#options;
    database.mutate(() => {
      database.documents.forgetDeletes();
      for (const collection of database.documents.collections()) database.documents.markStale(collection, () => true);
      for (const active of subscriptions.all()) {
        if (active.state.kind !== 'error') subscriptions.setState(active.record.id, started);
      }
      database.clearCheckpoint();
      database.afterwards(() => events.emit('reset', { reason }));
    });
  }

  bootstrap(page: BootstrapMessage): void {
    const { database, subscriptions } = this.#options;
    const active = subscriptions.get(page.subscription);
    if (active?.state.kind !== 'bootstrapping') return;
    const { collection, id } = active.record;
    const received = active.state.received + page.data.length;
    database.mutate(() => {
      for (const document of page.data as Document[]) {
        database.clock.observe(document.sync_updated_at);
        database.documents.tell(collection, document);
      }
      subscriptions.setState(id, page.hasMore ? { kind: 'bootstrapping', received } : { kind: 'complete' });
      if (page.checkpoint !== undefined) subscriptions.cover(page.checkpoint);
      if (!page.hasMore) this.sweep(collection);
    });
  }

  bootstrapFailed({ subscription, code, error }: BootstrapErrorMessage): void {
    const { database, subscriptions } = this.#options;
    const active = subscriptions.get(subscription);
    if (!active) return;
    database.mutate(() => {
      subscriptions.setState(subscription, { kind: 'error', code, message: error });
      this.sweep(active.record.collection);
    });
  }

  changes(changes: readonly DeliveredMessage[], checkpoint: string): void {
    const { database, settlement, events } = this.#options;
    database.mutate(() => {
      for (const change of changes) {
        database.clock.observe(change.timestamp);
        database.documents.deliver(change);
        settlement.delivered(change);
      }
      this.position(checkpoint);
      database.afterwards(() => events.emit('delivered', changes));
    });
  }

  /** A newer checkpoint with nothing before it. */
  position(checkpoint: string): void {
    const { database, subscriptions, now } = this.#options;
    database.mutate(() => {
      subscriptions.cover(checkpoint);
      database.setMeta({ lastSync: now() });
    });
  }

  /** The server no longer counts on it that we hold the documents of these subscriptions. */
  left(ended: readonly ActiveSubscription[]): void {
    const { subscriptions } = this.#options;
    for (const { record } of ended) subscriptions.left(record.id);
    for (const { record, state } of ended) {
      // What a superseded one leaves stays in view until its successor has come.
      const hasSuccessor =
        state.kind === 'superseded' && subscriptions.has(record.collection, 'pending', 'bootstrapping');
      if (!hasSuccessor) this.sweep(record.collection);
    }
  }

  /** Drops what no subscription holds, as far as that is known: not while one of the collection is still being told. */
  sweep(collection: string): void {
    const { database, subscriptions } = this.#options;
    if (subscriptions.has(collection, 'bootstrapping')) return;
    const all = [...subscriptions.all(), ...subscriptions.leaving()];
    const undecided = all.filter(({ state }) => state.kind === 'pending' || state.kind === 'error');
    database.mutate(() =>
      database.documents.drop(collection, ({ document, stale }) => {
        return !subscriptions.holds(collection, document, stale ? undecided : all);
      }),
    );
  }
}
