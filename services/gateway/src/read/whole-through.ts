import { type Entry, encodeCheckpoint, type HistoryId, type Position } from '@tidemark/protocol';
import { hasReached, seqAt } from './position.ts';

/*
 * A client may hold documents that were read later than its position: at or before a point that is called `wholeThrough`.
 * Until it has reached that point only whole documents are right, whatever it holds.
 */

export function isWithin(entry: Entry, wholeThrough: Position | undefined): boolean {
  if (wholeThrough === undefined) return false;
  if (wholeThrough.epoch !== entry.epoch) return wholeThrough.epoch > entry.epoch;
  return seqAt(wholeThrough, entry.lane) >= entry.seq;
}

/** The token of a position; it carries the point while that lies ahead, in the same epoch. */
export function tokenOf(historyId: HistoryId, position: Position, wholeThrough: Position | undefined): string {
  const isPast =
    wholeThrough === undefined || wholeThrough.epoch !== position.epoch || hasReached(position, wholeThrough);
  return encodeCheckpoint({ historyId, position, ...(!isPast && { wholeThrough: wholeThrough.seqs }) });
}
