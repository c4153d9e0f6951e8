import { describe, expect, it } from '@jest/globals';
import { type Document, type DocumentKey, documentKey } from '@tidemark/protocol/core';
import fc from 'fast-check';
import type { CollectionChanges } from '../local/view.ts';
import { FirstList } from './first-list.ts';
import { comparatorOf } from './sort.ts';

const compare = comparatorOf([{ path: 'n', direction: 'asc' }]);
const matches = (document: Document) => document.n !== -1;
const doc = (id: number, n: number) => ({ _id: `d${id}`, n }) as unknown as Document;

/** All documents of a collection, and the list that follows them. */
class Followed {
  readonly #all = new Map<DocumentKey, Document>();
  readonly #limit: number;
  readonly list: FirstList;

  constructor(documents: readonly Document[], limit: number) {
    for (const document of documents) this.#all.set(documentKey(document._id), document);
    this.#limit = limit;
    this.list = new FirstList({ matches, compare, limit }, this.#all);
  }

  /** What the list must hold, made anew. */
  get expected(): readonly Document[] {
    return [...this.#all.values()].filter(matches).sort(compare).slice(0, this.#limit);
  }

  /** Undefined as `n` deletes. Tells what `apply` has told. */
  change(...steps: readonly (readonly [id: number, n: number | undefined])[]): boolean {
    const changes = new Map<DocumentKey, { before: Document | undefined; after: Document | undefined }>();
    for (const [id, n] of steps) {
      const key = documentKey(`d${id}`);
      const after = n === undefined ? undefined : doc(id, n);
      changes.set(key, { before: changes.has(key) ? changes.get(key)?.before : this.#all.get(key), after });
      if (after) this.#all.set(key, after);
      else this.#all.delete(key);
    }
    return this.list.apply(changes as CollectionChanges);
  }
}

const numbered = (count: number, n: (id: number) => number) => Array.from({ length: count }, (_, id) => doc(id, n(id)));

describe('FirstList', () => {
  it.each([
    [0, 10],
    [3, 10],
    [10, 3],
    [5_000, 50],
    [5_000, 1_500],
    [5, 0],
  ])('holds the first of %i documents, %i at most', (count, limit) => {
    for (const n of [(id: number) => (id * 7919) % 1_000, (id: number) => id, (id: number) => -id - 2]) {
      const followed = new Followed(numbered(count, n), limit);
      expect(followed.list.documents).toEqual(followed.expected);
      expect(followed.list.documents).toHaveLength(Math.min(count, limit));
    }
  });

  it('moves up what comes next, however many go', () => {
    const followed = new Followed(
      numbered(400, (id) => id),
      10,
    );
    for (let id = 0; id < 395; id++) {
      expect(followed.change([id, undefined])).toBe(true);
      expect(followed.list.documents).toEqual(followed.expected);
    }
    expect(followed.list.documents.map(({ _id }) => _id)).toEqual(['d395', 'd396', 'd397', 'd398', 'd399']);
  });

  it('takes in what comes first, however much comes', () => {
    const followed = new Followed([], 10);
    for (let id = 0; id < 400; id++) followed.change([id, 1_000 - id]);
    expect(followed.list.documents).toEqual(followed.expected);
    expect(followed.list.documents[0]?._id).toBe('d399');
  });

  it('tells whether the list has changed', () => {
    const followed = new Followed([doc(1, 1), doc(2, -1), doc(3, 3)], 2);
    expect(followed.change([2, -1])).toBe(false);
    expect(followed.change([4, undefined])).toBe(false);
    expect(followed.change([4, 4])).toBe(false);
    expect(followed.change([4, 5])).toBe(false);
    expect(followed.change([4, 2])).toBe(true);
    expect(followed.change([3, 6])).toBe(false);
    expect(followed.change([4, -1])).toBe(true);
    expect(followed.list.documents).toEqual(followed.expected);
  });

  it('hands out lists that stay as they are', () => {
    const followed = new Followed(
      numbered(20, (id) => id),
      5,
    );
    const before = followed.list.documents;
    const copy = [...before];
    followed.change([0, 100], [1, undefined]);
    expect(before).toEqual(copy);
    expect(followed.list.documents).not.toBe(before);
  });

  it('equals a list that is sorted anew, whatever happens', () => {
    const step = fc.tuple(fc.nat(299), fc.option(fc.integer({ min: -1, max: 40 }), { nil: undefined }));
    const steps = fc.array(fc.array(step, { minLength: 1, maxLength: 40 }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.nat(300), fc.nat(20), steps, (count, limit, all) => {
        const followed = new Followed(
          numbered(count, (id) => (id * 31) % 40),
          limit,
        );
        for (const one of all) {
          const before = followed.list.documents;
          const hasChanged = followed.change(...one);
          expect(followed.list.documents).toEqual(followed.expected);
          expect(followed.list.documents === before).toBe(!hasChanged);
        }
      }),
    );
  });
});
