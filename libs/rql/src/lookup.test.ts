import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { scalar } from '../test/arbitraries.ts';
import { same } from '../test/naive-evaluator.ts';
import { bindQuery } from './bind.ts';
import { FALSE_QUERY, TRUE_QUERY } from './combine.ts';
import type { Json } from './json.ts';
import { equalities, lookupKey, lookupKeys } from './lookup.ts';
import { parseQuery } from './parser.ts';

function conditions(text: string): Record<string, readonly Json[]>[] {
  return equalities(bindQuery(parseQuery(text))).map(({ path, values }) => ({ [path]: values }));
}

describe('equalities', () => {
  it.each<[string, Record<string, Json[]>[]]>([
    ["a == 'x'", [{ a: ['x'] }]],
    ["'x' IN a", [{ a: ['x'] }]],
    ['a IN {1, 2} AND b.c == 3 AND d > 4', [{ a: [1, 2] }, { 'b.c': [3] }]],
    ['a == 1 OR a == 2', [{ a: [1, 2] }]],
    ['a == 1 OR b == 2', []],
    ['(a == 1 AND b == 2) OR (a == 3 AND c == 4)', [{ a: [1, 3] }]],
    ['(a == 1 AND b == 2) OR (a == 1 AND b == 3)', [{ a: [1] }, { b: [2, 3] }]],
    ['a == 1 OR (a == 2 AND b == 3) OR c == 1', []],
    ['a == null', [{ a: [null] }]],
    ['ANY a == 1', [{ a: [1] }]],
    ['a > 1', []],
    ['a != 1', []],
    ['NOT a == 1', []],
    ['NOT a != 1', []],
    ['ALL a == 1', []],
    ['NONE a == 1', []],
    ["a ==[c] 'x'", []],
    ["a IN[c] {'x', 'y'}", []],
    ['a == b', []],
    ['a.@count == 1', []],
    ['a BETWEEN {1, 1}', []],
    ["a LIKE 'x'", []],
    ['two\\ words == 1', [{ 'two words': [1] }]],
  ])('of %s', (text, expected) => {
    expect(conditions(text)).toEqual(expected);
  });

  it('are none for the constants', () => {
    expect(equalities(TRUE_QUERY)).toEqual([]);
    expect(equalities(FALSE_QUERY)).toEqual([]);
  });
});

describe('lookupKeys', () => {
  const keys = (...values: Json[]): string[] => values.map(lookupKey);

  it.each<[Record<string, Json>, string, Json[]]>([
    [{ a: 'x' }, 'a', ['x']],
    [{ a: 5 }, 'a', [5]],
    [{}, 'a', [null]],
    [{ a: null }, 'a', [null]],
    [{ a: [] }, 'a', []],
    [{ a: ['x', 'y', 'x', 1] }, 'a', ['x', 'y', 1]],
    [{ a: { b: 'x' } }, 'a.b', ['x']],
    [{ a: 'x' }, 'a.b', [null]],
    [{ a: [{ b: 1 }, { b: [2, 3] }, {}, 'x'] }, 'a.b', [1, 2, 3, null]],
    [{ a: [] }, 'a.b', []],
    [{}, 'constructor', [null]],
    [{}, '__proto__.x', [null]],
    [{ a: [[1, 2]] }, 'a', [[1, 2]]],
  ])('of %j under %s', (document, path, expected) => {
    expect(lookupKeys(document, path)).toEqual(keys(...expected));
  });
});

describe('lookupKey', () => {
  it('is equal exactly for equal values', () => {
    let equal = 0;
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        if (isNaNDouble(a) || isNaNDouble(b)) return;
        if (same(a, b)) equal += 1;
        expect(lookupKey(a) === lookupKey(b)).toBe(same(a, b));
      }),
      { numRuns: 5000 },
    );
    expect(equal).toBeGreaterThan(50);
  });

  it.each<[Json, Json]>([
    ['1', 1],
    ['null', null],
    ['true', true],
    [['a', 'b'], ['a,b']],
    [{ a: 1, b: 2 }, { a: { b: 2 } }],
    [{ 'a:1': 1 }, { a: '1:1' }],
    [[], {}],
    [[[]], [[], []]],
    [0, false],
  ])('tells %j and %j apart', (a, b) => {
    expect(lookupKey(a)).not.toBe(lookupKey(b));
  });

  it('stays small for deep values', () => {
    let value: Json = 'x';
    for (let depth = 0; depth < 90; depth += 1) value = [value];
    expect(lookupKey(value).length).toBeLessThan(2000);
  });
});

function isNaNDouble(value: Json): boolean {
  return JSON.stringify(value).includes('NaN');
}
