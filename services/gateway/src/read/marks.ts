import { SyncError } from '@tidemark/protocol';

const maxMarks = 100;

/** Marks of one socket that wait until everything before them was sent. */
export class Marks {
  private asked = 0;
  private waiting: ((token: string) => void)[] = [];

  /** Asks, and counts as asked until it is answered. Throws SyncError `overloaded` when too many are. */
  async ask(question: () => Promise<string>): Promise<string> {
    if (this.asked >= maxMarks) throw new SyncError('overloaded', 'too many marks wait', { retryAfterMs: 1_000 });
    this.asked++;
    try {
      return await question();
    } finally {
      this.asked--;
    }
  }

  /** Resolves with the token of the next `answer`. */
  wait(): Promise<string> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  answer(token: string): void {
    for (const resolve of this.waiting.splice(0)) resolve(token);
  }

  /** Nobody is there to be answered. */
  drop(): void {
    this.waiting = [];
  }
}
