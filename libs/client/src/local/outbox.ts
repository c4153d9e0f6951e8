import type { DocumentKey } from '@tidemark/protocol/core';
import { documentRef } from './document-ref.ts';
import type { Journal } from './journal.ts';
import type { EntryStage, HiddenFields, OutboxEntry } from './records.ts';

const none: readonly OutboxEntry[] = [];

/** The user's writes that the server's stream does not show yet, in the order in which they were made. */
export class Outbox {
  readonly #journal: Journal;
  readonly #entries = new Map<string, OutboxEntry>();
  readonly #byDocument = new Map<string, readonly OutboxEntry[]>();
  #accepted = 0;
  /** No entry is later. */
  #latest = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Entries that wait for their ack. */
  get pendingCount(): number {
    return this.#accepted;
  }

  /** Entries whose effect is shown on top of the server's version. */
  get size(): number {
    return this.#entries.size;
  }

  get(id: string): OutboxEntry | undefined {
    return this.#entries.get(id);
  }

  /** In order. */
  entries(): IterableIterator<OutboxEntry> {
    return this.#entries.values();
  }

  ofDocument(collection: string, key: DocumentKey): readonly OutboxEntry[] {
    return this.#byDocument.get(documentRef(collection, key)) ?? none;
  }

  /** Adds an entry, or puts it in the place of an earlier form of it. A new one is later than all others, unless it comes from another tab. */
  add(entry: OutboxEntry): void {
    this.restore(entry);
    this.#journal.entry(entry.id);
  }

  setStage(id: string, stage: EntryStage): void {
    const entry = this.#entries.get(id);
    if (entry && entry.stage !== stage) this.add({ ...entry, stage });
  }

  /** The named fields of the write are not to be shown any more. */
  hide(id: string, fields: HiddenFields): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const before = entry.hidden ?? [];
    const hidden = fields === 'all' || before === 'all' ? 'all' : [...new Set([...before, ...fields])];
    this.add({ ...entry, hidden });
    this.#journal.touch(entry.collection, entry.key);
  }

  remove(id: string): void {
    if (this.forget(id)) this.#journal.entry(id);
  }

  /** Takes an entry over from the store or from another tab: it is not to be written again. */
  restore(entry: OutboxEntry): void {
    const before = this.#entries.get(entry.id);
    this.#entries.set(entry.id, entry);
    this.#accepted += Number(entry.stage === 'accepted') - Number(before?.stage === 'accepted');
    const others = this.ofDocument(entry.collection, entry.key);
    const next = before
      ? others.map((other) => (other === before ? entry : other))
      : [...others, entry].sort(byTimestamp);
    this.#byDocument.set(documentRef(entry.collection, entry.key), next);
    // Another stage looks the same.
    if (!before) this.#journal.touch(entry.collection, entry.key);
    if (entry.timestamp < this.#latest && !before) this.#sort();
    this.#latest = Math.max(this.#latest, entry.timestamp);
  }

  /** Two tabs may write at the same time, and hear of each other in either order. */
  #sort(): void {
    const all = [...this.#entries.values()].sort(byTimestamp);
    this.#entries.clear();
    for (const entry of all) this.#entries.set(entry.id, entry);
  }

  /** Like `remove`, without a trace in the store. */
  forget(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#entries.delete(id);
    if (entry.stage === 'accepted') this.#accepted -= 1;
    const ref = documentRef(entry.collection, entry.key);
    const others = this.ofDocument(entry.collection, entry.key).filter((other) => other !== entry);
    if (others.length === 0) this.#byDocument.delete(ref);
    else this.#byDocument.set(ref, others);
    this.#journal.touch(entry.collection, entry.key);
    return true;
  }
}

/** No two entries are of the same time. */
export function byTimestamp(a: OutboxEntry, b: OutboxEntry): number {
  return a.timestamp - b.timestamp;
}
