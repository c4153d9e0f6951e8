export interface TabStandOptions {
  /** Whether there is something that the store does not have yet. */
  readonly isDirty: () => boolean;
  readonly tellState: () => void;
  readonly tellCaughtUp: () => void;
}

/**
 * When the leader tells the other tabs where it stands: once for all that changes in one turn, and after what it is about was written,
 * since they are told of documents only then. `complete` with half of the documents would be a lie.
 */
export class TabStand {
  readonly #options: TabStandOptions;
  #isWriting = false;
  #isFailing = false;
  #hasChanged = false;
  #isCaughtUp = false;

  constructor(options: TabStandOptions) {
    this.#options = options;
  }

  changed(): void {
    this.#hasChanged = true;
    queueMicrotask(() => this.tell());
  }

  /** Everything has arrived. */
  caughtUp(): void {
    this.#isCaughtUp = true;
    this.changed();
  }

  /** More is asked for: that everything had arrived before says nothing about it. */
  behind(): void {
    this.#isCaughtUp = false;
  }

  async writing(write: () => Promise<void>): Promise<void> {
    this.#isWriting = true;
    try {
      await write();
      this.#isFailing = false;
    } catch (error) {
      // Nobody knows when it will succeed: until then the others hear how we stand without it.
      this.#isFailing = true;
      throw error;
    } finally {
      this.#isWriting = false;
    }
  }

  /** Tells what is untold and may be told. */
  tell(): void {
    const isWritten = !this.#isWriting && !this.#options.isDirty();
    if (this.#hasChanged && (isWritten || this.#isFailing)) {
      this.#hasChanged = false;
      this.#options.tellState();
    }
    if (this.#isCaughtUp && isWritten) {
      this.#isCaughtUp = false;
      this.#options.tellCaughtUp();
    }
  }
}
