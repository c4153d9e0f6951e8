import type { Epoch, Lane } from '@tidemark/protocol';
import type { Timestamp } from 'mongodb';
import type { LaneRow } from './database.ts';

/** What a lane's row holds of interest to a writer. */
export type LaneState = Pick<LaneRow, 'lane' | 'head' | 'fence'>;

/** Lanes as some commit has left them. */
export interface KnownLanes {
  readonly lanes: ReadonlyMap<Lane, LaneState>;
  /** The database's time of the latest of the commits. */
  readonly asOf: Timestamp;
}

interface Memory extends LaneState {
  readonly asOf: Timestamp;
}

/**
 * Where the lanes stood after the last commit of this process. A guess: others may have moved them since, so whoever builds
 * on it compares when it commits, and forgets what was wrong.
 */
export class LaneMemory {
  readonly #lanes = new Map<string, Memory>();

  /** Undefined when one of the lanes is not known. */
  recall(epoch: Epoch, lanes: Iterable<Lane>): KnownLanes | undefined {
    const known = new Map<Lane, LaneState>();
    let asOf: Timestamp | undefined;
    for (const lane of lanes) {
      const memory = this.#lanes.get(keyOf(epoch, lane));
      if (memory === undefined) return undefined;
      known.set(lane, memory);
      if (asOf === undefined || memory.asOf.greaterThan(asOf)) asOf = memory.asOf;
    }
    return asOf && { lanes: known, asOf };
  }

  learn(epoch: Epoch, states: Iterable<LaneState>, asOf: Timestamp): void {
    for (const { lane, head, fence } of states) this.#lanes.set(keyOf(epoch, lane), { lane, head, fence, asOf });
  }

  forget(epoch: Epoch, lanes: Iterable<Lane>): void {
    for (const lane of lanes) this.#lanes.delete(keyOf(epoch, lane));
  }
}

function keyOf(epoch: Epoch, lane: Lane): string {
  return `${epoch}:${lane}`;
}
