import type { Document } from '@tidemark/protocol/core';
import type { Comparator } from './sort.ts';

/** Puts a document into a sorted list, behind all that are not after it. Returns its place. */
export function insert(sorted: Document[], document: Document, compare: Comparator): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(sorted[middle] as Document, document) <= 0) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, document);
  return low;
}
