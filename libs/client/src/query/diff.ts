import { type Document, type DocumentKey, documentKey } from '@tidemark/protocol/core';

export interface Placed {
  readonly document: Document;
  readonly index: number;
}

export interface Replaced {
  readonly document: Document;
  readonly index: number;
  readonly previous: Document;
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
const fewKeys = 8;

/** The difference between two lists that differ at most in the documents named. */
export function diffOf(
  before: readonly Document[],
  after: readonly Document[],
  keys: ReadonlyMap<DocumentKey, unknown>,
): QueryDiff {
  const placeBefore = placesOf(before, keys.size);
  const placeAfter = placesOf(after, keys.size);
  const added: Placed[] = [];
  const removed: Placed[] = [];
  const changed: Replaced[] = [];
  for (const key of keys.keys()) {
    const was = placeBefore(key);
    const is = placeAfter(key);
    if (is && !was) added.push(is);
    else if (was && !is) removed.push(was);
    else if (was && is && was.document !== is.document) {
      changed.push({ ...is, previous: was.document, previousIndex: was.index });
    }
  }
  const byIndex = (a: Placed, b: Placed) => a.index - b.index;
  return { added: added.sort(byIndex), removed: removed.sort(byIndex), changed: changed.sort(byIndex) };
}

function placesOf(documents: readonly Document[], lookups: number): (key: DocumentKey) => Placed | undefined {
  if (lookups <= fewKeys) {
    return (key) =>
      placed(
        documents,
        documents.findIndex((document) => documentKey(document._id) === key),
      );
  }
  const places = new Map(documents.map((document, index) => [documentKey(document._id), index]));
  return (key) => placed(documents, places.get(key) ?? -1);
}

function placed(documents: readonly Document[], index: number): Placed | undefined {
  const document = documents[index];
  return document && { document, index };
}
