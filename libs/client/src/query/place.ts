import type { Document } from '@tidemark/protocol/core';
import type { Comparator } from './sort.ts';

/** Where a document belongs in a sorted list, from `from` on: behind all that are not after it. */
export function placeFor(
  document: Document,
  list: readonly Document[],
  { from, compare }: { from: number; compare: Comparator },
): number {
  let low = from;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(list[middle] as Document, document) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
