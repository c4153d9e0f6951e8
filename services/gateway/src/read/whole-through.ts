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

/** Of whom a token is, besides its position. */
export interface TokenHolder {
  readonly historyId: HistoryId;
  readonly rights: string | undefined;
}

/** The token of a position; it carries the point while that lies ahead, in the same epoch. */
export function tokenOf(holder: TokenHolder, position: Position, wholeThrough: Position | undefined): string {
  const { historyId, rights } = holder;
  const isPast =
    wholeThrough === undefined || wholeThrough.epoch !== position.epoch || hasReached(position, wholeThrough);
  const whole = !isPast && { wholeThrough: wholeThrough.seqs };
  return encodeCheckpoint({ historyId, position, ...whole, ...(rights !== undefined && { rights }) });
}
