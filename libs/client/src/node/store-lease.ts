import { systemClock } from '../clock.ts';
import { LocalStoreError } from '../local/port.ts';
import { isRunning, type StoreOwner } from './store-owner.ts';

/** Who has a store, and a value that is another one after every sign of life. */
export interface Held {
  readonly owner: StoreOwner;
  readonly beat: number;
}

/** Where it is written down who has a store. A failure says nothing about that: it is thrown as LocalStoreError `failed`. */
export interface LeasePlace {
  read(): Promise<Held | undefined>;
  /** Takes the store from whom `read` named, in one step; false when somebody else came first. */
  take(owner: StoreOwner, from: Held | undefined): Promise<boolean>;
  /** A sign of life, unless the store is another's. */
  beat(owner: StoreOwner): Promise<unknown>;
  /** Gives it back, if it still is the owner's. */
  release(owner: StoreOwner): Promise<void>;
}

export interface LeaseOptions {
  /** Of the store, for messages. */
  readonly name: string;
  readonly beatMs?: number;
  /** One whose process cannot be looked up from here has gone when it has given no sign for so long. */
  readonly silenceMs?: number;
  /** Waits; a test does not. */
  readonly pause?: (ms: number) => Promise<void>;
}

/**
 * Exclusive use of a store that several processes reach. A store has one writer: a second one, which does not know what the first holds
 * in memory, would put older documents below a newer checkpoint. It is refused, not given a queue of its own: what such a queue still
 * held when its process does not come back nobody would send, while one queue is continued by whoever opens the store next.
 * A holder that was killed does not block: on the same machine it is known at once, elsewhere by its silence.
 */
export class StoreLease {
  readonly #place: LeasePlace;
  readonly #owner: StoreOwner;
  readonly #options: Required<LeaseOptions>;
  #beating: NodeJS.Timeout | undefined;

  constructor(place: LeasePlace, owner: StoreOwner, options: LeaseOptions) {
    this.#place = place;
    this.#owner = owner;
    this.#options = { beatMs: 2_000, silenceMs: 10_000, pause: systemPause, ...options };
  }

  /** Throws LocalStoreError `inUse` when a living owner has the store; may take `silenceMs` to find out that it does not live. */
  async take(): Promise<void> {
    for (;;) {
      const held = await this.#place.read();
      if (held && !(await this.#isGone(held))) throw this.#refusal(held.owner);
      if (await this.#place.take(this.#owner, held)) break;
    }
    this.#beating = setInterval(() => void this.#beat(), this.#options.beatMs).unref();
  }

  /** The store is another's: nothing may be written to it any more. */
  lost(cause?: unknown): LocalStoreError {
    clearInterval(this.#beating);
    return new LocalStoreError(
      'inUse',
      `another process has taken ${this.#options.name}: this one gave no sign`,
      cause,
    );
  }

  /** Gives the store back. Safe to call twice. */
  async release(): Promise<void> {
    clearInterval(this.#beating);
    if (this.#beating === undefined) return;
    this.#beating = undefined;
    await this.#place.release(this.#owner);
  }

  async #beat(): Promise<void> {
    // Whoever writes asks whose the store is: a sign that is not given does no more harm than silence.
    await this.#place.beat(this.#owner).catch(() => false);
  }

  async #isGone({ owner, beat }: Held): Promise<boolean> {
    const runs = isRunning(owner, this.#owner);
    if (runs !== undefined) return !runs;
    const { beatMs, silenceMs, pause } = this.#options;
    for (let waited = 0; waited < silenceMs; waited += beatMs / 4) {
      await pause(beatMs / 4);
      const now = await this.#place.read();
      if (now?.owner.token !== owner.token) return now === undefined;
      if (now.beat !== beat) return false;
    }
    return true;
  }

  #refusal({ pid, scope }: StoreOwner): LocalStoreError {
    const where = scope === this.#owner.scope ? '' : ` of ${scope.split(' ')[0]}`;
    const cure = 'end it, or use another store or user';
    return new LocalStoreError('inUse', `${this.#options.name} is in use by process ${pid}${where}: ${cure}`);
  }
}

function systemPause(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(ms, resolve));
}
