import { LocalStoreError } from '../local/port.ts';
import type { StoredState, WriteBatch } from '../local/records.ts';
import type { TabMessage, Tabs } from './tabs.ts';

interface Request {
  readonly batch: WriteBatch;
  readonly resolve: () => void;
  readonly reject: (error: LocalStoreError) => void;
}

/** What a tab wants written to the store, which the leader does. The client writes one batch after the other, so it is one at a time. */
export class TabRequests {
  readonly #tabs: Tabs;
  readonly #open = new Map<number, Request>();
  #last = 0;
  #isClosed = false;
  /** Asked-for writes that the store did not have when it was read, and that no leader has told of since. */
  #unseen = new Set<string>();

  constructor(tabs: Tabs) {
    this.#tabs = tabs;
  }

  /** Those that no leader has answered yet. */
  batches(): readonly WriteBatch[] {
    return [...this.#open.values()].map(({ batch }) => batch);
  }

  /** Resolves when a leader has written it. Throws LocalStoreError. */
  send(batch: WriteBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw closed();
      this.#last += 1;
      this.#open.set(this.#last, { batch, resolve, reject });
      this.#post(this.#last, batch);
    });
  }

  /** Another tab leads. `current` leaves of a batch what there still is to write. */
  repeat(current: (batch: WriteBatch) => WriteBatch): void {
    for (const [request, { batch }] of this.#open) this.#post(request, current(batch));
  }

  /** The store was read. */
  compare({ entries }: StoredState): void {
    const stored = new Set(entries.map(({ id }) => id));
    const asked = this.batches().flatMap(({ putEntries }) => putEntries.map(({ id }) => id));
    this.#unseen = new Set(asked.filter((id) => !stored.has(id)));
  }

  /** The leader has written this. */
  told({ putEntries }: WriteBatch): void {
    for (const { id } of putEntries) this.#unseen.delete(id);
  }

  /** Returns the writes that were kept and are decided already: the store was read after both, so nobody will tell of them. */
  answered({ tab, request, error }: TabMessage & { kind: 'done' }): readonly string[] {
    const asked = tab === this.#tabs.id ? this.#open.get(request) : undefined;
    if (!asked) return [];
    this.#open.delete(request);
    const unseen = asked.batch.putEntries.map(({ id }) => id).filter((id) => this.#unseen.delete(id));
    if (error) asked.reject(new LocalStoreError(error.isFull ? 'full' : 'failed', error.message));
    else asked.resolve();
    return error ? [] : unseen;
  }

  /** This tab leads: it writes by itself what no leader has answered. */
  async write(write: (batch: WriteBatch) => Promise<void>): Promise<void> {
    for (const [request, { batch, resolve, reject }] of [...this.#open]) {
      this.#open.delete(request);
      await write(batch).then(resolve, reject);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#open.values()) reject(closed());
    this.#open.clear();
  }

  #post(request: number, batch: WriteBatch): void {
    this.#tabs.post({ kind: 'write', tab: this.#tabs.id, request, batch });
  }
}

const closed = () => new LocalStoreError('closed', 'the client was closed');
