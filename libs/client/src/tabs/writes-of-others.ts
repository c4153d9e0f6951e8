import type { DirtyRecords } from '../local/journal.ts';
import { LocalStoreError } from '../local/port.ts';
import type { OutboxEntry, WriteBatch } from '../local/records.ts';
import { isSame, subscriptionIds } from './shared-database.ts';
import type { TabClient } from './shared-driver.ts';
import type { TabMessage, Tabs } from './tabs.ts';

/** As many writes as may wait for the server. */
const rememberedDecisions = 10_000;

/**
 * In the tab that leads: makes what the other tabs want written its own, and tells them when it is in the store.
 * A tab that hears of a new leader repeats what it has asked for. So a request may come twice, and may ask for what the last leader has
 * written already; it is answered once, and nobody is told that a write was not kept which the server may have committed.
 */
export class WritesOfOthers {
  readonly #tabs: Tabs;
  readonly #client: TabClient;
  readonly #isClaimed: (subscription: string) => boolean;
  /** The last request of every tab that lives; they are numbered upwards. */
  readonly #taken = new Map<string, number>();
  /** Writes that the server has decided, oldest first. */
  readonly #decided = new Set<string>();

  constructor(tabs: Tabs, client: TabClient, isClaimed: (subscription: string) => boolean) {
    this.#tabs = tabs;
    this.#client = client;
    this.#isClaimed = isClaimed;
    client.events.on('settled', ({ changeId }) => this.#settled(changeId));
  }

  async take({ tab, request, batch }: TabMessage & { kind: 'write' }): Promise<void> {
    if (!this.#isNew(tab, request)) return;
    const answer = { kind: 'done', tab, request } as const;
    try {
      this.#tabs.post({ ...answer, decided: await this.#write(batch) });
    } catch (error) {
      const isFull = error instanceof LocalStoreError && error.code === 'full';
      this.#tabs.post({ ...answer, decided: [], error: { isFull, message: String(error) } });
    }
  }

  /**
   * Resolves when it is in the store, with those of its writes that had been decided before. When it cannot be stored nothing is left of
   * the writes that are new.
   */
  async #write(batch: WriteBatch): Promise<readonly string[]> {
    const { database, adopt, flushed } = this.#client;
    const unknown = batch.putEntries.filter(({ id }) => !database.outbox.get(id));
    const added = unknown.filter(({ id }) => !this.#decided.has(id));
    const decided = unknown.map(({ id }) => id).filter((id) => this.#decided.has(id));
    adopt(added.map(({ id }) => id));
    database.mutate(() => this.#make(added, batch));
    try {
      await flushed();
      return decided;
    } catch (error) {
      database.mutate(() => {
        for (const { id } of added) database.outbox.remove(id);
      });
      if (added.length > 0 || isUnstored(batch, database.journal.dirty)) throw error;
      return [];
    }
  }

  #make(added: readonly OutboxEntry[], batch: WriteBatch): void {
    const { database, subscriptions } = this.#client;
    for (const entry of added) database.outbox.add(entry);
    for (const entry of added) database.clock.observe(entry.timestamp);
    for (const id of batch.deleteEntries) database.outbox.remove(id);
    for (const record of batch.putSubscriptions) {
      const known = subscriptions.get(record.id);
      if (!known) subscriptions.add(record);
      else if (!isSame(record, known.record)) subscriptions.update(record);
    }
    for (const id of batch.deleteSubscriptions) {
      const claimed = this.#isClaimed(id) ? subscriptions.get(id) : undefined;
      // It was claimed while the other tab ended it: that one takes it back when it hears of it.
      if (claimed) subscriptions.update(claimed.record);
      else subscriptions.remove(id, { kind: 'ended' });
    }
  }

  #isNew(tab: string, request: number): boolean {
    const last = this.#taken.get(tab);
    if (last !== undefined && request <= last) return false;
    if (last === undefined) void this.#forgetWhenEnded(tab);
    this.#taken.set(tab, request);
    return true;
  }

  async #forgetWhenEnded(tab: string): Promise<void> {
    await this.#tabs.ended(tab);
    this.#taken.delete(tab);
  }

  #settled(id: string): void {
    this.#decided.add(id);
    const [oldest = id] = this.#decided;
    if (this.#decided.size > rememberedDecisions) this.#decided.delete(oldest);
  }
}

/** Whether the store lacks anything of it but writes that it has, or had. */
function isUnstored(batch: WriteBatch, { entries, subscriptions }: Readonly<DirtyRecords>): boolean {
  return (
    batch.deleteEntries.some((id) => entries.has(id)) || subscriptionIds(batch).some((id) => subscriptions.has(id))
  );
}
