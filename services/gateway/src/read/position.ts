import { brandAs, type Entry, type Lane, type Position, type Seq } from '@tidemark/protocol';
import type { LaneEpoch, LaneHead } from '@tidemark/storage';

/** The position before the first entry of an epoch. */
export function startOf(epoch: LaneEpoch): Position {
  return { epoch: epoch.epoch, seqs: new Array<Seq>(epoch.lanes).fill(epoch.base) };
}

export function positionOf(epoch: LaneEpoch, heads: readonly LaneHead[]): Position {
  const seqs = [...startOf(epoch).seqs];
  for (const { lane, head } of heads) seqs[lane] = head;
  return { epoch: epoch.epoch, seqs };
}

/** The position behind the entries, which follow it in its epoch. */
export function positionAfter(position: Position, entries: readonly Entry[]): Position {
  const seqs = [...position.seqs];
  for (const entry of entries) seqs[entry.lane] = entry.seq;
  return { epoch: position.epoch, seqs };
}

export function seqAt(position: Position, lane: Lane): Seq {
  return position.seqs[lane] ?? brandAs<Seq>(0);
}

export function samePosition(a: Position, b: Position): boolean {
  return a === b || (a.epoch === b.epoch && a.seqs.every((seq, lane) => seq === b.seqs[lane]));
}

/** True when everything up to `target` lies at or before `position`. */
export function hasReached(position: Position, target: Position): boolean {
  if (position.epoch !== target.epoch) return position.epoch > target.epoch;
  return target.seqs.every((seq, lane) => (position.seqs[lane] ?? 0) >= seq);
}
