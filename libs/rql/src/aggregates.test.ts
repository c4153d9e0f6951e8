import { describe, expect, it } from '@jest/globals';
import { matches } from '../test/matching.ts';
import { compileAggregate } from './aggregates.ts';
import type { Json } from './json.ts';

const decimal = (text: string): Json => ({ $numberDecimal: text });
const long = (text: string): Json => ({ $numberLong: text });
const date = (iso: string): Json => ({ $date: iso });
const NAN: Json = { $numberDouble: 'NaN' };
const INFINITY: Json = { $numberDouble: 'Infinity' };

describe('@count', () => {
  it.each<[Json | undefined, Json]>([
    [[], 0],
    [[1, null, [2, 3]], 3],
    [undefined, 0],
    [null, 0],
    ['', 0],
    ['a😀é', 3],
    [{}, 0],
    [{ x: 1, y: 2 }, 2],
    [5, null],
    [true, null],
    [date('2026-11-24T10:00:00Z'), null],
  ])('of %j is %j', (a, expected) => {
    expect(compileAggregate(['a'], 'count')(a === undefined ? {} : { a })).toEqual(expected);
  });

  it('counts all values under a path through lists', () => {
    const document = { items: [{ tags: ['a', 'b'] }, { tags: [] }, {}, 5] };
    expect(compileAggregate(['items', 'tags'], 'count')(document)).toBe(3);
    expect(compileAggregate(['items', 'tags'], 'count')({ items: [] })).toBe(0);
    expect(compileAggregate(['items'], 'count')(document)).toBe(4);
  });
});

describe('@sum', () => {
  it.each<[Json[], Json]>([
    [[], 0],
    [[1, 2, 3], 6],
    [['x', null, true, 4], 4],
    [[0.1, 0.2, 0.3], 0.6],
    [Array.from({ length: 10 }, () => 0.1), 1],
    [[1e308, 1e308], INFINITY],
    [[INFINITY, 1], INFINITY],
    [[INFINITY, { $numberDouble: '-Infinity' }], NAN],
    [[NAN, 1], NAN],
    [[decimal('0.1'), decimal('0.2')], decimal('3E-1')],
    [[decimal('0.1'), decimal('0.4')], 0.5],
    [[decimal('0.1'), INFINITY], INFINITY],
    [[decimal('1E-1'), 1], decimal('11E-1')],
    [[long('9007199254740993'), long('2')], long('9007199254740995')],
    [[decimal('9999999999999999999999999999999999'), decimal('0.5')], decimal('1E34')],
    [[decimal('9999999999999999999999999999999998'), decimal('0.5')], decimal('9999999999999999999999999999999998E0')],
  ])('of %j is %j', (a, expected) => {
    expect(compileAggregate(['a'], 'sum')({ a })).toEqual(expected);
  });
});

describe('@avg', () => {
  it.each<[Json[], Json]>([
    [[], null],
    [['x'], null],
    [[1, 2], 1.5],
    [[1, 'x', 2, null], 1.5],
    [[decimal('0.1'), decimal('0.2')], decimal('15E-2')],
    [[decimal('0.1'), decimal('0.1'), decimal('0.2')], decimal('1333333333333333333333333333333333E-34')],
    [[decimal('0.2'), decimal('0.2'), decimal('-0.6')], decimal('-6666666666666666666666666666666667E-35')],
    [[NAN, decimal('0.1')], NAN],
  ])('of %j is %j', (a, expected) => {
    expect(compileAggregate(['a'], 'avg')({ a })).toEqual(expected);
  });
});

describe('@min and @max', () => {
  it.each<[Json[], Json, Json]>([
    [[], null, null],
    [['x', true, null], null, null],
    [[3, 1, 2], 1, 3],
    [[long('9007199254740993'), 9007199254740992], 9007199254740992, long('9007199254740993')],
    [[NAN, 2, 1], 1, 2],
    [[NAN], null, null],
    [[INFINITY, 1], 1, INFINITY],
    [[decimal('0.1'), 0.1], decimal('1E-1'), 0.1],
    [
      [date('2026-11-24T10:00:00Z'), date('2020-01-01T00:00:00Z')],
      date('2020-01-01T00:00:00.000Z'),
      date('2026-11-24T10:00:00.000Z'),
    ],
    [[date('2026-11-24T10:00:00Z'), 5, 'x'], 5, 5],
    [[5, date('2026-11-24T10:00:00Z')], 5, 5],
  ])('of %j are %j and %j', (a, min, max) => {
    expect(compileAggregate(['a'], 'min')({ a })).toEqual(min);
    expect(compileAggregate(['a'], 'max')({ a })).toEqual(max);
  });

  it('take a single value for a list of one', () => {
    expect(compileAggregate(['a'], 'max')({ a: 5 })).toBe(5);
    expect(compileAggregate(['a'], 'sum')({ a: 5 })).toBe(5);
    expect(compileAggregate(['a'], 'sum')({})).toBe(0);
    expect(compileAggregate(['a'], 'min')({})).toBe(null);
  });
});

describe('an aggregate in a query', () => {
  const document = { items: [{ price: 3 }, { price: 9 }, { name: 'x' }], limit: 9, empty: [] };

  it.each<[string, boolean]>([
    ['items.@count == 3', true],
    ['items.@size > 3', false],
    ['items.price.@max == 9', true],
    ['items.@max.price == limit', true],
    ['limit <= items.@sum.price', true],
    ['items.@avg.price == 6', true],
    ['12 == items.@sum.price', true],
    ['items.@min.price BETWEEN {3, 4}', true],
    ['items.@count IN {1, 2, 3}', true],
    ['items.@count == items.@max.price', false],
    ['empty.@count == 0 AND empty.@sum == 0', true],
    ['empty.@min == null AND empty.@max == null AND empty.@avg == null', true],
    ['empty.@max < 5', false],
    ['empty.@max != 5', true],
    ['missing.@count == 0', true],
    ['missing.@avg == null', true],
    ['NOT items.@count == 3', false],
  ])('%s is %s', (query, expected) => {
    expect(matches(query, document)).toBe(expected);
  });
});
