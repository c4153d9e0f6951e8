import type { Epoch, Lane, Seq } from '@tidemark/protocol';

/** What is kept of a lane. */
export interface LaneState {
  readonly head: Seq;
  readonly trimmed: Seq;
  /** The highest lease token that has committed; 0 for none. */
  readonly fence: number;
}

export function laneStateKey(epoch: Epoch, lane: Lane): string {
  return `lane:${epoch}:${lane}`;
}

export function encodeLaneState(state: LaneState): string {
  return `${state.head},${state.trimmed},${state.fence}`;
}

/** A lane without a row stands where its epoch began. */
export function decodeLaneState(row: string | undefined, base: Seq): LaneState {
  if (row === undefined) return { head: base, trimmed: base, fence: 0 };
  const [head, trimmed, fence] = row.split(',').map(Number) as [Seq, Seq, number];
  return { head, trimmed, fence };
}
