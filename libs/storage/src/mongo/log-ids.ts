import type { Epoch, Lane, Millis, Seq } from '@tidemark/protocol';

/*
 * Ids of the rows in tidemark_log. Text of fixed width, so that the order of ids is the order of entries:
 *   epoch:lane:seq        an entry
 *   ~committedAt:random   the outcome of a superseded change; sorts behind all entries
 */
const supersededMark = '~';

export function entryRowId(epoch: Epoch, lane: Lane, seq: Seq): string {
  return `${digits(epoch, 6)}:${digits(lane, 4)}:${digits(seq, 16)}`;
}

export function supersededRowId(committedAt: Millis, random: string): string {
  return `${supersededMark}${digits(committedAt, 16)}:${random}`;
}

/** The ids of superseded outcomes from before a time. */
export function supersededBefore(time: Millis): { readonly $gt: string; readonly $lt: string } {
  return { $gt: supersededMark, $lt: supersededRowId(time, '') };
}

export function isEntryRowId(id: string): boolean {
  return !id.startsWith(supersededMark);
}

function digits(value: number, width: number): string {
  return String(Math.max(0, Math.floor(value))).padStart(width, '0');
}
