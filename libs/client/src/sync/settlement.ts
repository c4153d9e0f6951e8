import type { AckMessage, DeliveredMessage, Document } from '@tidemark/protocol/core';
import type { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import type { LocalDatabase } from '../local/database.ts';
import type { HiddenFields, OutboxEntry } from '../local/records.ts';
import type { SubscriptionSet } from './subscription-set.ts';

interface Reason {
  readonly outcome: 'superseded' | 'rejected';
  readonly code: string;
  readonly error: string;
}

export interface SettlementOptions {
  readonly database: LocalDatabase;
  readonly subscriptions: SubscriptionSet;
  readonly events: Emitter<ClientEvents>;
}

/**
 * How writes leave the outbox: accepted → applied → visible.
 * Guaranteed: the effect of an applied write is shown until the server's version that holds it is shown, and a write that lost or was
 * rejected goes alone, with an event.
 */
export class Settlement {
  readonly #options: SettlementOptions;
  readonly #losses = new Map<string, Reason>();

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /** A change of the stream: if it is our own, it is committed, and visible with this very step. Called inside `mutate`. */
  delivered(change: DeliveredMessage): void {
    const { outbox } = this.#options.database;
    const entry = outbox.get(change.id);
    if (!entry || entry.collection !== change.collection) return;
    // It left the view, but a subscription that is still to come may bring it back: a later mark tells.
    const mayReturn = change.reason === 'left' && this.#options.subscriptions.isIncomplete(entry.collection);
    if (mayReturn && entry.stage === 'accepted') this.#applied(entry);
    else if (!mayReturn) this.#visible(entry);
  }

  /** The server has decided. Called inside `mutate`; the stream may have been faster. */
  decided(entry: OutboxEntry, ack: AckMessage): void {
    if (this.#options.database.outbox.get(entry.id)?.stage !== 'accepted') return;
    this.#options.database.clock.observe(ack.timestamp);
    if (ack.outcome === 'rejected') this.rejected(entry, ack.code ?? 'internal', ack.error ?? 'rejected');
    else if (ack.success) this.#applied(entry);
    else this.#superseded(entry, lossOf(ack), ack.current as Document | null | undefined);
  }

  rejected(entry: OutboxEntry, code: string, error: string): void {
    const reason: Reason = { outcome: 'rejected', code, error };
    this.#settled(entry, reason);
    this.#compensate(entry, reason);
  }

  /** Decided writes that the stream has not shown yet. */
  awaited(): readonly string[] {
    const ids: string[] = [];
    for (const entry of this.#options.database.outbox.entries()) if (entry.stage !== 'accepted') ids.push(entry.id);
    return ids;
  }

  /**
   * Everything that was committed when these were already decided has arrived: what has not come back will not, unless documents of
   * its collection are still to come (then a later mark tells).
   */
  arrived(ids: readonly string[]): void {
    for (const id of ids) {
      const entry = this.#options.database.outbox.get(id);
      if (entry && !this.#options.subscriptions.isIncomplete(entry.collection)) this.#finish(entry);
    }
  }

  #finish(entry: OutboxEntry): void {
    if (entry.stage === 'applied') this.#visible(entry);
    else if (entry.stage === 'lost') this.#compensate(entry, this.#losses.get(entry.id) ?? lossOf({}));
  }

  #applied(entry: OutboxEntry): void {
    this.#options.database.outbox.setStage(entry.id, 'applied');
    this.#settled(entry);
  }

  #visible(entry: OutboxEntry): void {
    this.#overtaken(entry);
    this.#losses.delete(entry.id);
    this.#options.database.outbox.remove(entry.id);
    if (entry.stage === 'accepted') this.#settled(entry);
  }

  /**
   * Earlier writes of the same document lie below this one on the server: decided ones are visible with it, and what is not decided
   * must not show its older values on top.
   */
  #overtaken(entry: OutboxEntry): void {
    const { outbox } = this.#options.database;
    for (const earlier of outbox.ofDocument(entry.collection, entry.key)) {
      if (earlier.id === entry.id) return;
      if (earlier.stage === 'accepted') outbox.hide(earlier.id, fieldsOf(entry));
      else this.#finish(earlier);
    }
  }

  /** The winner, where we know it, takes the loser's place in one step; else the loser stays until the winner has come. */
  #superseded(entry: OutboxEntry, reason: Reason, current: Document | null | undefined): void {
    const { database, subscriptions } = this.#options;
    this.#settled(entry, reason);
    if (current && subscriptions.holds(entry.collection, current)) {
      database.documents.tell(entry.collection, current);
      this.#compensate(entry, reason);
    } else {
      this.#losses.set(entry.id, reason);
      database.outbox.setStage(entry.id, 'lost');
    }
  }

  #settled(entry: OutboxEntry, reason?: Reason): void {
    const { database, events } = this.#options;
    const settled = { changeId: entry.id, ...(reason ?? { outcome: 'applied' as const }) };
    database.afterwards(() => events.emit('settled', settled));
  }

  #compensate(entry: OutboxEntry, reason: Reason): void {
    const { database, events } = this.#options;
    const { id, operation, collection, key, documentId, data, unset } = entry;
    const previous = database.view.get(collection, key) ?? null;
    this.#losses.delete(id);
    database.outbox.remove(id);
    database.afterwards(() => {
      const current = database.view.get(collection, key) ?? null;
      const write = { changeId: id, operation, collection, documentId, data, unset };
      events.emit('compensated', { ...write, ...reason, previous, current });
    });
  }
}

function fieldsOf({ operation, data, unset }: OutboxEntry): HiddenFields {
  return operation === 'update' ? [...Object.keys(data), ...unset] : 'all';
}

function lossOf({ code = 'conflict', error = 'a newer version won' }: Partial<AckMessage>): Reason {
  return { outcome: 'superseded', code, error };
}
