import type { BootstrapMessage, DeliveredMessage, Document } from '@tidemark/protocol/core';
import type { Clock } from '../clock.ts';
import type { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import type { LocalDatabase } from '../local/database.ts';
import type { BootstrapFailure } from './incoming.ts';
import type { Settlement } from './settlement.ts';
import { type ActiveSubscription, isTold, type SubscriptionSet } from './subscription-set.ts';

export interface ReceiverOptions {
  readonly database: LocalDatabase;
  readonly subscriptions: SubscriptionSet;
  readonly settlement: Settlement;
  readonly events: Emitter<ClientEvents>;
  readonly clock: Clock;
}

const started = { kind: 'bootstrapping', received: 0 } as const;

/** Applies what the server sends, each message in one atomic step together with its checkpoint. */
export class Receiver {
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /**
   * A join was accepted: what the checkpoint covers goes on (also what has ended here since we asked), the rest comes whole.
   * What nothing covered stands for is in doubt until then: it was held through an interrupted bootstrap or before a reset.
   */
  joined(asked: readonly ActiveSubscription[], covered: ReadonlySet<string>): void {
    const { database, subscriptions } = this.#options;
    const told = subscriptions.known().filter(({ record }) => covered.has(record.id));
    database.mutate(() => {
      this.#doubtAll(told);
      for (const { record } of asked) if (!covered.has(record.id)) subscriptions.setState(record.id, started);
      for (const collection of database.documents.collections()) this.sweep(collection);
    });
  }

  /** A subscription on a running socket was accepted. What the server does not tell us of already is in doubt until it has come. */
  subscribed(id: string): void {
    const { database, subscriptions } = this.#options;
    const collection = subscriptions.get(id)?.record.collection;
    if (collection === undefined) return;
    const others = subscriptions.all().filter(({ record, state }) => record.id !== id && isTold(state));
    const told = [...others, ...subscriptions.leaving()];
    database.mutate(() => {
      this.#doubt(collection, told);
      subscriptions.setState(id, started);
    });
  }

  /** The checkpoint cannot be served: everything comes again, and until it has, what is held stays in view. */
  reset(reason: string): void {
    const { database, subscriptions, events } = this.#options;
    database.mutate(() => {
      this.#doubtAll([]);
      // One that is only asked for is not told of by this.
      subscriptions.move(['complete', 'bootstrapping'], started);
      database.clearCheckpoint();
      database.afterwards(() => events.emit('reset', { reason }));
    });
  }

  #doubtAll(told: readonly ActiveSubscription[]): void {
    const { documents } = this.#options.database;
    if (told.length === 0) documents.forgetDeletes();
    for (const collection of documents.collections()) this.#doubt(collection, told);
  }

  /** What none of those stands for that the server goes on to tell us of is in doubt. */
  #doubt(collection: string, told: readonly ActiveSubscription[]): void {
    const { database, subscriptions } = this.#options;
    database.documents.markStale(collection, (document) => !subscriptions.holds(collection, document, told));
  }

  /** Pages of a subscription that is ending are taken too: the server counts on it that we hold what they bring. */
  bootstrap(page: BootstrapMessage): void {
    const { database, subscriptions } = this.#options;
    const active = subscriptions.get(page.subscription);
    const isEnding = subscriptions.leaving().some(({ record }) => record.id === page.subscription);
    if (active?.state.kind !== 'bootstrapping' && !isEnding) return;
    database.mutate(() => {
      for (const document of page.data as Document[]) {
        database.clock.observe(document.sync_updated_at);
        database.documents.tell(page.collection, document);
      }
      if (active) {
        const received = (active.state.kind === 'bootstrapping' ? active.state.received : 0) + page.data.length;
        subscriptions.setState(active.record.id, page.hasMore ? { ...started, received } : { kind: 'complete' });
      }
      if (page.checkpoint !== undefined) subscriptions.cover(page.checkpoint);
      if (active && !page.hasMore) this.sweep(page.collection);
    });
  }

  bootstrapFailed({ subscription, code, error }: BootstrapFailure): void {
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
    const { database, subscriptions, clock } = this.#options;
    database.mutate(() => {
      subscriptions.cover(checkpoint);
      database.setMeta({ lastSync: clock.now() });
    });
  }

  /** The server no longer counts on it that we hold the documents of these subscriptions. */
  left(ended: readonly ActiveSubscription[]): void {
    const { subscriptions } = this.#options;
    for (const { record } of ended) subscriptions.left(record.id);
    for (const { record, state } of ended) {
      // What a superseded one leaves stays in view until its successor has come.
      const hasSuccessor = state.kind === 'superseded' && subscriptions.isIncomplete(record.collection);
      if (!hasSuccessor) this.sweep(record.collection);
    }
  }

  /** Drops what no subscription holds, as far as that is known: not while one of the collection is still being told. */
  sweep(collection: string): void {
    const { database, subscriptions } = this.#options;
    if (subscriptions.has(collection, 'bootstrapping')) return;
    const all = subscriptions.known();
    const complete = all.filter(({ state }) => state.kind === 'complete');
    const undecided = all.filter(({ state }) => state.kind === 'pending' || state.kind === 'error');
    const isHeld = (document: Document, among: readonly ActiveSubscription[]) =>
      subscriptions.holds(collection, document, among);
    database.mutate(() =>
      database.documents.drop(collection, ({ document, stale }) => {
        // A complete one would have told a document in doubt again.
        const isWanted = stale ? isHeld(document, undecided) && !isHeld(document, complete) : isHeld(document, all);
        return !isWanted;
      }),
    );
  }
}
