import type { Cancel, Clock } from '../src/clock.ts';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Time that passes when a test says so. What the clock shows may jump; timers follow the time that has really passed. */
export class ManualClock {
  #passed = 0;
  #shown: number;
  readonly #timers = new Set<Timer>();

  constructor(start = 1_700_000_000_000) {
    this.#shown = start;
  }

  now(): number {
    return this.#shown + this.#passed;
  }

  get timers(): number {
    return this.#timers.size;
  }

  after(ms: number, run: () => void): Cancel {
    const timer = { at: this.#passed + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass; timers that are due run in order. */
  advance(ms: number): void {
    const end = this.#passed + ms;
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#passed = Math.max(this.#passed, next.at);
      next.run();
    }
    this.#passed = end;
  }

  /** Somebody sets the clock. */
  jump(ms: number): void {
    this.#shown += ms;
  }

  /** The same clock for one program that may die: afterwards none of its timers runs. */
  forProgram(skewMs = 0): Clock & { kill(): void; jump(ms: number): void } {
    const own = new Set<Cancel>();
    let isDead = false;
    let skew = skewMs;
    return {
      now: () => this.now() + skew,
      after: (ms, run) => {
        if (isDead) return () => {};
        const cancel = this.after(ms, () => {
          own.delete(cancel);
          run();
        });
        own.add(cancel);
        return cancel;
      },
      jump: (ms) => {
        skew += ms;
      },
      kill: () => {
        isDead = true;
        for (const cancel of own) cancel();
      },
    };
  }
}
