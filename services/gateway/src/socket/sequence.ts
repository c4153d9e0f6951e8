/** Runs one piece of work after the other, whatever becomes of each. */
export class Sequence {
  private last: Promise<unknown> | undefined;

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last === undefined ? work() : this.last.then(work, work);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.last = settled;
    void settled.then(() => {
      if (this.last === settled) this.last = undefined;
    });
    return result;
  }

  /** Resolves when everything that was begun is done; undefined when there is nothing. */
  get settling(): Promise<unknown> | undefined {
    return this.last;
  }
}
