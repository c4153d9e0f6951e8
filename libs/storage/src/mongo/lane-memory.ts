import type { Epoch, Lane } from '@tidemark/protocol';
import { type LaneRow, laneRowId } from './database.ts';

/** What a lane's row holds of interest to a writer. */
export type LaneState = Pick<LaneRow, 'lane' | 'head' | 'fence'>;

/**
 * Where the lanes stood after the last commit of this process. A guess: others may have moved them since, so whoever builds
 * on it compares when it commits, and forgets what was wrong.
 */
export class LaneMemory {
  readonly #lanes = new Map<string, LaneState>();

  /** Undefined when one of the lanes is not known. */
  recall(epoch: Epoch, lanes: Iterable<Lane>): ReadonlyMap<Lane, LaneState> | undefined {
    const known = new Map<Lane, LaneState>();
    for (const lane of lanes) {
      const state = this.#lanes.get(laneRowId(epoch, lane));
      if (state === undefined) return undefined;
      known.set(lane, state);
    }
    return known;
  }

  learn(epoch: Epoch, states: Iterable<LaneState>): void {
    for (const state of states) this.#lanes.set(laneRowId(epoch, state.lane), state);
  }

  forget(epoch: Epoch, lanes: Iterable<Lane>): void {
    for (const lane of lanes) this.#lanes.delete(laneRowId(epoch, lane));
  }
}
