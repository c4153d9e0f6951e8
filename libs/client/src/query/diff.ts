import type { Document, DocumentKey } from '@tidemark/protocol/core';

/** A document and its place in a list, counted from 0. */
export interface Placed {
  readonly document: Document;
  readonly index: number;
}

/** A document that is another one than before; it may have moved, too. */
export interface Replaced {
  readonly document: Document;
  /** In the new list, from 0. */
  readonly index: number;
  readonly previous: Document;
  /** In the old list, from 0. */
  readonly previousIndex: number;
}

/**
 * How one list of documents became the next. `removed` and `previousIndex` count in the old list, `added` and `index` in the new.
 * Applied as: take out what was removed and changed, then put in what was added and changed at its index, in ascending order.
 * Documents that only shifted are not named.
 */
export interface QueryDiff {
  readonly added: readonly Placed[];
  readonly removed: readonly Placed[];
  readonly changed: readonly Replaced[];
}

/** Past so many documents that may differ, an index of both lists is cheaper than searching them. */
const few = 8;

/** A document that may differ between the lists: as it stands in the old one, and in the new one. */
export interface DocumentPair {
  readonly before: Document | undefined;
  readonly after: Document | undefined;
}

/** The difference between two lists that differ at most in the documents named. */
export function diffOf(
  before: readonly Document[],
  after: readonly Document[],
  pairs: ReadonlyMap<DocumentKey, DocumentPair>,
): QueryDiff {
  const placeBefore = placesOf(before, pairs.size);
  const placeAfter = placesOf(after, pairs.size);
  const added: Placed[] = [];
  const removed: Placed[] = [];
  const changed: Replaced[] = [];
  for (const pair of pairs.values()) {
    const was = pair.before && placeBefore(pair.before);
    const is = pair.after && placeAfter(pair.after);
    if (is && !was) added.push(is);
    else if (was && !is) removed.push(was);
    else if (was && is && was.document !== is.document) {
      changed.push({ ...is, previous: was.document, previousIndex: was.index });
    }
  }
  const byIndex = (a: Placed, b: Placed) => a.index - b.index;
  return { added: added.sort(byIndex), removed: removed.sort(byIndex), changed: changed.sort(byIndex) };
}

function placesOf(documents: readonly Document[], lookups: number): (document: Document) => Placed | undefined {
  const places = lookups > few ? new Map(documents.map((document, index) => [document, index])) : undefined;
  return (document) => {
    const index = places ? (places.get(document) ?? -1) : documents.indexOf(document);
    return index < 0 ? undefined : { document, index };
  };
}
