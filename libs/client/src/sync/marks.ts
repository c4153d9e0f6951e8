import type { Requests } from './requests.ts';
import type { Settlement } from './settlement.ts';

/** How long the stream may take to show an acked write before it is asked whether it ever will. */
const markDelayMs = 100;

export interface MarksOptions {
  readonly settlement: Settlement;
  readonly requests: Pick<Requests, 'after'>;
  /** Sends `sync:mark` until it is answered with a checkpoint. */
  readonly ask: (answered: (checkpoint: string) => void) => void;
  /** Everything that was committed when it was asked for has arrived; `awaited` had been decided by then. */
  readonly arrived: (checkpoint: string, awaited: readonly string[]) => void;
  /** The last mark that was wanted is answered. */
  readonly caughtUp: () => void;
}

/** Asks the server to say when everything has arrived; one question at a time, the next one covers all that was wanted meanwhile. */
export class Marks {
  readonly #options: MarksOptions;
  #wanted = 0;
  #isAsking = false;
  #isSoon = false;

  constructor(options: MarksOptions) {
    this.#options = options;
  }

  want(): void {
    this.#wanted += 1;
    this.#ask();
  }

  /** Like `want`, unless what is awaited comes by itself soon. */
  wantSoon(): void {
    const { settlement, requests } = this.#options;
    if (this.#isSoon || settlement.awaited().length === 0) return;
    this.#isSoon = true;
    requests.after(markDelayMs, () => {
      this.#isSoon = false;
      if (settlement.awaited().length > 0) this.want();
    });
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const covers = this.#wanted;
    const awaited = this.#options.settlement.awaited();
    this.#options.ask((checkpoint) => {
      this.#isAsking = false;
      this.#options.arrived(checkpoint, awaited);
      if (this.#wanted > covers) this.#ask();
      else this.#options.caughtUp();
    });
  }
}
