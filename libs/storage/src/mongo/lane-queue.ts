import type { Lane } from '@tidemark/protocol';

/** Lets the transactions of this process that share a lane run one after another: against each other they would only lose races. */
export class LaneQueue {
  readonly #last = new Map<Lane, Promise<unknown>>();

  /** Runs `task` after every earlier one that shares a lane with it has ended. */
  async run<T>(lanes: readonly Lane[], task: () => Promise<T>): Promise<T> {
    const earlier = lanes.map((lane) => this.#last.get(lane));
    const running = Promise.allSettled(earlier).then(task);
    for (const lane of lanes) this.#last.set(lane, running);
    try {
      return await running;
    } finally {
      for (const lane of lanes) if (this.#last.get(lane) === running) this.#last.delete(lane);
    }
  }
}
