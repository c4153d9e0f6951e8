import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { brandAs, type UserId } from './ids.ts';
import type { Json } from './json.ts';
import { type FieldVersions, type FieldWrite, mergeFields, type Version, wins } from './lww.ts';

const user = (name: string) => brandAs<UserId>(name);
const version = (timestamp: number, author: string | undefined = 'ann'): Version => ({
  timestamp,
  author: author === undefined ? undefined : user(author),
});

describe('wins', () => {
  it.each<[string, Version, Version | undefined, boolean]>([
    ['later beats earlier', version(2), version(1, 'bob'), true],
    ['earlier loses', version(1), version(2, 'bob'), false],
    ['anything beats what was never written', version(0), undefined, true],
    ['a tie leaves the stored version to another author', version(1, 'ann'), version(1, 'bob'), false],
    ['a tie of one author goes to the one that arrives', version(1, 'ann'), version(1, 'ann'), true],
    ['a tie with a version of nobody leaves it', version(1, 'ann'), { timestamp: 1, author: undefined }, false],
    [
      'nobody does not tie with nobody',
      { timestamp: 1, author: undefined },
      { timestamp: 1, author: undefined },
      false,
    ],
    ['the author alone decides nothing', version(1, 'ann'), version(2, 'ann'), false],
  ])('%s', (_, incoming, stored, expected) => {
    expect(wins(incoming, stored)).toBe(expected);
  });

  it('never lets two versions of different authors beat each other', () => {
    fc.assert(
      fc.property(versions(), versions(), (a, b) => {
        fc.pre(a.author !== b.author);
        expect(wins(a, b) && wins(b, a)).toBe(false);
      }),
    );
  });

  it('orders distinct timestamps: exactly one of two wins, and what beats the winner beats the loser', () => {
    fc.assert(
      fc.property(versions(), versions(), versions(), (a, b, c) => {
        fc.pre(new Set([a.timestamp, b.timestamp, c.timestamp]).size === 3);
        expect(wins(a, b)).toBe(!wins(b, a));
        if (wins(a, b) && wins(b, c)) expect(wins(a, c)).toBe(true);
      }),
    );
  });
});

/** What a document that merges by field holds. */
interface Merged {
  readonly fields: Readonly<Record<string, Json>>;
  readonly versions: FieldVersions;
}

const empty: Merged = { fields: {}, versions: {} };

function apply(state: Merged, write: FieldWrite, base?: Version): Merged {
  const merge = mergeFields(write, state.versions, base);
  if (merge === undefined) return state;
  const fields = { ...state.fields, ...merge.data };
  for (const name of merge.unset) delete fields[name];
  return { fields, versions: merge.versions };
}

const applyAll = (writes: readonly FieldWrite[], start = empty) =>
  writes.reduce((state, one) => apply(state, one), start);

const names = ['title', 'done', 'owner', 'constructor'];

function versions(): fc.Arbitrary<Version> {
  return fc.record({ timestamp: fc.nat(8), author: fc.constantFrom(user('ann'), user('bob'), user('eve')) });
}

function writes(): fc.Arbitrary<FieldWrite> {
  return fc.record({
    version: versions(),
    data: fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.nat(5), fc.constant(null)), { noNullPrototype: true }),
    unset: fc.uniqueArray(fc.constantFrom(...names)),
  });
}

/** Writes with distinct timestamps, and the same in another order. */
function shuffled(): fc.Arbitrary<readonly [FieldWrite[], FieldWrite[]]> {
  const distinct = fc.uniqueArray(writes(), { selector: (write) => write.version.timestamp, maxLength: 8 });
  return distinct.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
  );
}

describe('mergeFields', () => {
  it('keeps two offline edits of different fields', () => {
    const first = apply(empty, { version: version(1), data: { title: 'a', done: false }, unset: [] });
    const second = apply(first, { version: version(3, 'bob'), data: { done: true }, unset: [] });
    const third = apply(second, { version: version(2, 'eve'), data: { title: 'b', done: 'lost' }, unset: [] });
    expect(third.fields).toEqual({ title: 'b', done: true });
    expect(third.versions).toEqual({ title: version(2, 'eve'), done: version(3, 'bob') });
  });

  it('tells which part of a write took effect', () => {
    const stored = { title: version(5, 'bob') };
    const merge = mergeFields(
      { version: version(4), data: { title: 'x', done: true }, unset: ['owner'] },
      stored,
      undefined,
    );
    expect(merge).toMatchObject({ data: { done: true }, unset: ['owner'] });
    expect(merge?.versions).toEqual({ title: version(5, 'bob'), done: version(4), owner: version(4) });
  });

  it('is undefined when no field wins', () => {
    const stored = { title: version(5, 'bob'), done: version(5, 'bob') };
    expect(
      mergeFields({ version: version(4), data: { title: 'x' }, unset: ['done'] }, stored, undefined),
    ).toBeUndefined();
  });

  it('takes effect without fields: an empty write creates the document', () => {
    expect(mergeFields({ version: version(1), data: {}, unset: [] }, {}, undefined)).toEqual({
      data: {},
      unset: [],
      versions: {},
    });
  });

  it('gives fields without a version of their own the one of the document', () => {
    const old = { version: version(4), data: { title: 'x' }, unset: ['done'] };
    expect(mergeFields(old, {}, version(5, 'bob'))).toBeUndefined();
    expect(mergeFields(old, {}, version(3, 'bob'))).toMatchObject({ data: { title: 'x' }, unset: ['done'] });
  });

  it('remembers when a field was removed, so that an older write does not bring it back', () => {
    const removed = apply(empty, { version: version(5), data: {}, unset: ['title'] });
    expect(apply(removed, { version: version(4, 'bob'), data: { title: 'stale' }, unset: [] }).fields).toEqual({});
    expect(apply(removed, { version: version(6, 'bob'), data: { title: 'new' }, unset: [] }).fields).toEqual({
      title: 'new',
    });
  });

  it('takes a field that is set and unset at once as set', () => {
    const merge = mergeFields({ version: version(1), data: { title: 'x' }, unset: ['title'] }, {}, undefined);
    expect(merge).toMatchObject({ data: { title: 'x' }, unset: [] });
  });

  it('does not take what objects inherit for versions', () => {
    const merge = mergeFields({ version: version(1), data: { constructor: 1, toString: 2 }, unset: [] }, {}, undefined);
    expect(merge?.data).toEqual({ constructor: 1, toString: 2 });
  });

  it('leaves its arguments as they were', () => {
    const stored = Object.freeze({ title: version(1) });
    const write = Object.freeze({
      version: version(2),
      data: Object.freeze({ title: 'x' }),
      unset: Object.freeze(['done']),
    });
    mergeFields(write, stored, undefined);
    expect(stored).toEqual({ title: version(1) });
    expect(write.unset).toEqual(['done']);
  });

  it('comes to the same document in any order of arrival, when timestamps differ', () => {
    fc.assert(
      fc.property(shuffled(), ([one, other]) => expect(applyAll(one)).toEqual(applyAll(other))),
      { numRuns: 500 },
    );
  });

  it('comes to the same document when any write arrives twice, when timestamps differ', () => {
    fc.assert(
      fc.property(shuffled(), ([one, other]) => expect(applyAll([...one, ...other])).toEqual(applyAll(one))),
      { numRuns: 500 },
    );
  });

  it('changes nothing when the last write is repeated, ties or not', () => {
    fc.assert(
      fc.property(fc.array(writes(), { minLength: 1, maxLength: 8 }), (list) => {
        const once = applyAll(list);
        expect(apply(once, list.at(-1)!)).toEqual(once);
      }),
    );
  });

  it('never lets a version of a field go back', () => {
    fc.assert(
      fc.property(fc.array(writes(), { maxLength: 8 }), writes(), (list, last) => {
        const before = applyAll(list).versions;
        const after = apply(applyAll(list), last).versions;
        for (const name in before) expect(after[name]!.timestamp).toBeGreaterThanOrEqual(before[name]!.timestamp);
      }),
    );
  });

  it('holds per field exactly what the rule for the whole document says', () => {
    fc.assert(
      fc.property(fc.array(writes(), { maxLength: 8 }), fc.constantFrom(...names), (list, name) => {
        let stored: { version: Version; value: Json | undefined } | undefined;
        for (const { version: incoming, data, unset } of list) {
          const isSet = Object.hasOwn(data, name);
          if ((isSet || unset.includes(name)) && wins(incoming, stored?.version))
            stored = { version: incoming, value: isSet ? data[name] : undefined };
        }
        const merged = applyAll(list);
        expect(Object.hasOwn(merged.fields, name) ? merged.fields[name] : undefined).toEqual(stored?.value);
      }),
      { numRuns: 500 },
    );
  });
});
