import { LocalStoreError } from '../local/port.ts';
import type { WriteBatch } from '../local/records.ts';
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

  /** Whether we still wanted to know. */
  answered({ tab, request, error }: TabMessage & { kind: 'done' }): boolean {
    const asked = tab === this.#tabs.id ? this.#open.get(request) : undefined;
    if (!asked) return false;
    this.#open.delete(request);
    if (error) asked.reject(new LocalStoreError(error.isFull ? 'full' : 'failed', error.message));
    else asked.resolve();
    return true;
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
