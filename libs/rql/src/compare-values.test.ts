import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { scalar } from '../test/arbitraries.ts';
import { decode } from './atom.ts';
import { areEqual, compareForSort, compareStrings, order, satisfies } from './compare-values.ts';
import type { Json } from './json.ts';

describe('compareStrings', () => {
  it.each([
    ['', '', 0],
    ['', 'a', -1],
    ['ab', 'a', 1],
    ['a', 'b', -1],
    ['\u{1F600}', '\uFFFD', 1],
    ['x\u{1F600}', 'x\u{1F601}', -1],
    ['x\u{1F600}y', 'x\u{1F600}', 1],
  ])('of %j and %j', (a, b, expected) => {
    expect(Math.sign(compareStrings(a, b))).toBe(expected);
    expect(Math.sign(compareStrings(b, a)) + expected).toBe(0);
  });

  it('is the order of UTF-8', () => {
    const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed());
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareStrings(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});

describe('order', () => {
  it.each<[Json, Json, number | undefined]>([
    [null, null, 0],
    [false, true, -1],
    [{ $date: 5 }, { $date: 4 }, 1],
    [{ $numberLong: '9007199254740993' }, 9007199254740992, 1],
    [{ $oid: 'a'.repeat(24) }, { $oid: 'B'.repeat(24) }, -1],
    [1, '1', undefined],
    [{ $numberDouble: 'NaN' }, 1, undefined],
    [{ x: 1 }, { x: 1 }, undefined],
    [{ $binary: { base64: 'AA==', subType: '00' } }, { $binary: { base64: 'AA==', subType: '00' } }, undefined],
  ])('of %j and %j', (a, b, expected) => {
    const result = order(decode(a), decode(b));
    expect(result === undefined ? undefined : Math.sign(result)).toBe(expected);
  });
});

describe('satisfies', () => {
  it.each([
    ['<', [true, false, false]],
    ['<=', [true, true, false]],
    ['>', [false, false, true]],
    ['>=', [false, true, true]],
  ] as const)('%s', (operator, expected) => {
    expect([-1, 0, 1].map(satisfies(operator))).toEqual(expected);
    expect(satisfies(operator)(undefined)).toBe(false);
  });
});

describe('areEqual', () => {
  it('knows equality between kinds, and that NaN equals nothing', () => {
    const nan = decode({ $numberDouble: 'NaN' });
    expect(areEqual(nan, nan)).toBe(false);
    expect(areEqual(decode('1'), decode(1))).toBe(false);
    expect(areEqual(decode({ a: [1] }), decode({ a: [{ $numberInt: '1' }] }))).toBe(true);
    expect(areEqual(decode({ $oid: 'none' }), decode({ $oid: 'none' }))).toBe(false);
  });
});

describe('compareForSort', () => {
  it('orders by kind, then by value', () => {
    const sorted: (Json | undefined)[] = [
      undefined,
      false,
      true,
      -1,
      { $numberDecimal: '0.5' },
      { $numberLong: '9007199254740993' },
      { $date: 0 },
      { $date: '2026-11-24' },
      'a',
      '\u{1F600}',
      [1],
      { $oid: 'a'.repeat(24) },
      { a: 1 },
    ];
    for (const [index, value] of sorted.entries()) {
      const results = sorted.map((other) => Math.sign(compareForSort(value, other)));
      expect(results).toEqual(sorted.map((_, other) => Math.sign(index - other)));
    }
    expect(compareForSort(null, undefined)).toBe(0);
  });

  it('is a total order', () => {
    const value = scalar.filter((one) => order(decode(one), decode(one)) === 0 || typeof one === 'object');
    const finite = value.filter((one) => !JSON.stringify(one).includes('NaN'));
    fc.assert(
      fc.property(finite, finite, finite, (a, b, c) => {
        expect(Math.sign(compareForSort(a, b)) + Math.sign(compareForSort(b, a))).toBe(0);
        if (compareForSort(a, b) <= 0 && compareForSort(b, c) <= 0) expect(compareForSort(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });
});
