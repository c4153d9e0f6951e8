import { describe, expect, it } from '@jest/globals';
import { matches } from '../test/matching.ts';
import { printQuery } from '../test/print.ts';
import { bindQuery } from './bind.ts';
import { and, FALSE_QUERY, TRUE_QUERY } from './combine.ts';
import type { Json } from './json.ts';
import { parseQuery } from './parser.ts';
import { QueryError } from './query-error.ts';

function bound(text: string, args: readonly Json[] = [], user?: Record<string, unknown>): string {
  return printQuery(bindQuery(parseQuery(text, { allowUser: true }), { args, ...(user ? { user } : {}) }));
}

function refusal(text: string, args: readonly unknown[]): QueryError {
  try {
    bindQuery(parseQuery(text), { args: args as Json[] });
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('the bound tree', () => {
  it.each([
    ['5 < a', 'a > 5'],
    ['5 >= a', 'a <= 5'],
    ["'x' == a", "a == 'x'"],
    ['b > a', 'a < b'],
    ['a != a', 'a != a'],
    ['NOT a == 1', 'NOT a == 1'],
    ['NOT NOT a == 1', 'a == 1'],
    ['NOT (a == 1 AND b == 2)', 'NOT a == 1 OR NOT b == 2'],
    ['NOT (a == 1 OR NOT b == 2)', 'NOT a == 1 AND b == 2'],
    ['NONE a == 1', 'NOT a == 1'],
    ['NOT NONE a == 1', 'a == 1'],
    ['ANY a == 1', 'a == 1'],
    ['5 < ALL a', 'ALL a > 5'],
    ['a < ALL b', 'ALL b > a'],
    ['ALL b < a', 'ALL b < a'],
    ["'x' IN tags", "tags == 'x'"],
    ['a IN b', 'a == b'],
    ['a IN {1}', 'a == 1'],
    ['a IN {2, 1, 2, 1.0}', 'a IN {1, 2}'],
    ['a == {1, 2}', 'a IN {1, 2}'],
    ['a IN {}', 'FALSEPREDICATE'],
    ['NOT a IN {}', 'TRUEPREDICATE'],
    ['ALL a IN {}', 'ALL a IN {}'],
    ["{'x', 'y'} IN tags", "tags IN {'x', 'y'}"],
    ["ALL {'x', 'y'} IN tags", "tags == 'x' AND tags == 'y'"],
    ["NONE {'x', 'y'} IN tags", "NOT tags IN {'x', 'y'}"],
    ['a > {1, 2}', 'a > 1 OR a > 2'],
    ['a > ALL {1, 2}', 'a > 1 AND a > 2'],
    ['a > NONE {1, 2}', 'NOT a > 1 AND NOT a > 2'],
    ['a == 1 OR a == 2 OR b == 3', 'a IN {1, 2} OR b == 3'],
    ['a == 1 AND a == 1', 'a == 1'],
    ['a == 1 AND TRUEPREDICATE', 'a == 1'],
    ['a == 1 AND FALSEPREDICATE', 'FALSEPREDICATE'],
    ['a == 1 OR TRUEPREDICATE', 'TRUEPREDICATE'],
    ['a == 1 OR FALSEPREDICATE', 'a == 1'],
    ['(a == 1 OR b == 1) AND (b == 1 OR a == 1)', 'a == 1 OR b == 1'],
    ['(a == 1 AND (b == 1 AND c == 1))', 'a == 1 AND b == 1 AND c == 1'],
    ['1 < 2', 'TRUEPREDICATE'],
    ["'x' == 1", 'FALSEPREDICATE'],
    ['5 BETWEEN {1, 10}', 'TRUEPREDICATE'],
    ['5 BETWEEN {6, 10}', 'FALSEPREDICATE'],
    ["'abc' CONTAINS 'b'", 'TRUEPREDICATE'],
    ['a == nan', 'FALSEPREDICATE'],
    ['NOT a < nan', 'TRUEPREDICATE'],
    ['ALL a != nan', 'TRUEPREDICATE'],
    ['a CONTAINS 5', 'FALSEPREDICATE'],
    ['a ==[c] 5', 'a == 5'],
    ['items.@max.price > 1', 'items.price.@max > 1'],
    ['items.@size > 1', 'items.@count > 1'],
  ])('of %s is that of %s', (text, expected) => {
    expect(bound(text)).toBe(expected);
  });

  it('refuses what has two meanings: all of a field against some of a list', () => {
    expect(refusal('ALL a > {1, 2}', []).position).toBe(9);
  });

  it('bounds the values of all lists together', () => {
    const list = Array.from({ length: 1000 }, (_, index) => index);
    const text = (lists: number): string => Array.from({ length: lists }, (_, index) => `f${index} IN $0`).join(' OR ');
    expect(bound(text(10), [list])).toContain('f9 IN');
    expect(refusal(text(11), [list]).message).toContain('10000 values');
  });
});

describe('arguments', () => {
  it('are values, never text', () => {
    const hostile = "x' OR TRUEPREDICATE OR a == '";
    expect(bound('a == $0', [hostile])).toBe("a == 'x\\' OR TRUEPREDICATE OR a == \\''");
    expect(matches('a == $0', { a: 'x' }, [hostile])).toBe(false);
    expect(matches('a == $0', { a: hostile }, [hostile])).toBe(true);
    expect(matches('a LIKE $0', { a: '$0' }, ['$?'])).toBe(true);
  });

  it.each<[string, Json[], string]>([
    ['a == $0', [5], 'a == 5'],
    ['a == $0', [null], 'a == null'],
    ['a == $1', [1, 2], 'a == 2'],
    ['a == $0', [[1, 2]], 'a IN {1, 2}'],
    ['a IN $0', [['x']], "a == 'x'"],
    ['a IN $0', [[]], 'FALSEPREDICATE'],
    ['a IN {$0, $1}', [2, 1], 'a IN {1, 2}'],
    ['a BETWEEN $0', [[1, 2]], 'a BETWEEN {1, 2}'],
    ['a BETWEEN {$0, $0}', [1], 'a BETWEEN {1, 1}'],
    ['ALL $0 IN tags', [['x', 'y']], "tags == 'x' AND tags == 'y'"],
    ['a == $0', [{ $numberInt: '5' }], 'a == 5'],
    ['a == $0', [{ $numberDecimal: '5.00' }], 'a == 5'],
    ['a == $0', [{ $numberLong: '9007199254740993' }], 'a == 9007199254740993'],
    ['a == $0', [{ $numberDecimal: '0.10' }], 'a == ejson(\'{"$numberDecimal":"1E-1"}\')'],
    ['a == $0', [{ $date: '2026-11-24T11:00:00+01:00' }], 'a == T1795514400:0'],
    ['a == $0', [{ $date: 1795514400001 }], 'a == T1795514400:1000000'],
    ['a == $0', [{ $oid: 'ABCDEFABCDEFABCDEFABCDEF' }], 'a == oid(abcdefabcdefabcdefabcdef)'],
    ['a == $0', [{ $uuid: '3B241101-E2BB-4255-8CAF-4136C566A962' }], 'a == uuid(3b241101-e2bb-4255-8caf-4136c566a962)'],
    ['a == $0', [{ x: { $numberInt: '1' } }], 'a == ejson(\'{"x":1}\')'],
  ])('%s with %j', (text, args, expected) => {
    expect(bound(text, args)).toBe(expected);
  });

  it.each<[string, unknown[], number, string]>([
    ['a == 1 AND b == $1', [1], 17, 'a value for $1'],
    ['a == $0', [], 6, '0 arguments'],
    ['a IN $0', [5], 6, 'a list'],
    ['a IN {$0}', [[1]], 7, 'a list as $0'],
    ['a BETWEEN $0', [[1]], 11, 'a list of two values'],
    ['a BETWEEN $0', [5], 11, 'a list of two values'],
    ['a == $0', [undefined], 6, 'undefined'],
    ['a == $0', [Number.NaN], 6, 'NaN'],
    ['a == $0', [Number.POSITIVE_INFINITY], 6, 'Infinity'],
    ['a == $0', [() => 1], 6, 'function'],
    ['a == $0', [10n], 6, 'bigint'],
    ['a == $0', [new Date()], 6, 'object'],
    ['a == $0', [[[1]]], 6, 'a list inside a list'],
    ['a == $0', [Array.from({ length: 1001 }, () => 1)], 6, '1000'],
    ['a == $0', [{ $oid: 'xyz' }], 6, 'typed value'],
    ['a == $0', [{ $date: 'yesterday' }], 6, 'typed value'],
    ['a == $0', [{ $date: 1.5 }], 6, 'typed value'],
    ['a == $0', [{ $numberLong: '9223372036854775808' }], 6, 'typed value'],
    ['a == $0', [{ $numberDecimal: '1e9999' }], 6, 'typed value'],
    ['a == $0', [{ $numberDecimal: '' }], 6, 'typed value'],
    ['a == $0', [{ $ne: null }], 6, 'typed value'],
    ['a == $0', [{ $oid: '5f0f1b1b1b1b1b1b1b1b1b1b', x: 1 }], 6, 'typed value'],
    ['a == $0', [{ x: { $gt: '' } }], 6, 'typed value'],
    ['a == $0', [{ x: 1, $where: 'true' }], 6, 'starts with $'],
    ['a == $0', [deep(33)], 6, 'deeper than 32'],
    ['a LIKE $0', ['?'.repeat(1025)], 8, '1024 characters'],
  ])('%s refuses %p', (text, args, position, reason) => {
    const error = refusal(text, args);
    expect(error.position).toBe(position);
    expect(error.message).toContain(reason);
  });

  it('may be nested 32 deep and hold any field name', () => {
    expect(bound('a == $0', [deep(32)])).toContain('ejson');
    const odd = JSON.parse('{"__proto__": 1, "constructor": 2}') as Json;
    expect(matches('a == $0', { a: odd }, [odd])).toBe(true);
    expect(matches('a == $0', { a: {} }, [odd])).toBe(false);
  });
});

function deep(levels: number): Json {
  return levels === 1 ? 1 : { x: deep(levels - 1) };
}

describe('claims of the user', () => {
  const user = {
    sub: 'u1',
    org: { team: 'red' },
    groups: ['g1', 'g2'],
    none: [],
    gap: null,
    holes: [null, 'g3', undefined],
  };

  it.each([
    ['owner == $user.sub', "owner == 'u1'"],
    ['team == $user.org.team', "team == 'red'"],
    ['owner IN $user.groups', "owner IN {'g1', 'g2'}"],
    ['owner == $user.groups', "owner IN {'g1', 'g2'}"],
    ['owner IN $user.sub', "owner == 'u1'"],
    ["'g1' IN $user.groups", 'TRUEPREDICATE'],
    ["'g9' IN $user.groups", 'FALSEPREDICATE'],
    ["$user.sub == 'u1'", 'TRUEPREDICATE'],
    ['ALL $user.groups IN tags', "tags == 'g1' AND tags == 'g2'"],
    ['ALL $user.groups IN {"g1", "g2", "g3"}', 'TRUEPREDICATE'],
    ['owner IN {$user.sub, "x"}', "owner IN {'u1', 'x'}"],
    ['owner IN $user.none', 'FALSEPREDICATE'],
    ['NOT owner IN $user.none', 'TRUEPREDICATE'],
    ['owner IN $user.holes', "owner == 'g3'"],
  ])('%s is %s', (text, expected) => {
    expect(bound(text, [], user)).toBe(expected);
  });

  it.each([
    'owner == $user.missing',
    'owner != $user.missing',
    'NOT owner == $user.missing',
    'NOT owner != $user.missing',
    'NOT NOT owner != $user.missing',
    'NONE owner == $user.missing',
    'ALL owner == $user.missing',
    'owner IN $user.missing',
    'NOT owner IN $user.missing',
    'owner > $user.missing',
    'owner BETWEEN {$user.missing, 5}',
    'NOT owner BETWEEN {1, $user.missing}',
    '$user.missing BETWEEN {1, 5}',
    '$user.missing == null',
    'null == $user.missing',
    '$user.missing != 1',
    '$user.missing == $user.missing',
    'owner == $user.gap',
    'NOT owner == $user.gap',
    'owner == $user.org.missing',
    'owner == $user.sub.length',
    'owner == $user.toString',
    'owner == $user.__proto__',
    'owner == $user.constructor.name',
    'owner CONTAINS $user.missing',
    'NOT owner IN {$user.missing, "x"}',
    'owner != ALL {$user.missing, "x"}',
    'ALL {$user.missing, "x"} IN owner',
  ])('%s never matches', (text) => {
    expect(bound(text, [], user)).toBe('FALSEPREDICATE');
  });

  it('only takes the comparison away, not what stands beside it', () => {
    expect(bound('owner == $user.missing OR public == true', [], user)).toBe('public == true');
    expect(bound('NOT (owner == $user.missing AND a == 1)', [], user)).toBe('NOT a == 1');
    expect(bound('NOT (owner == $user.missing OR a == 1)', [], user)).toBe('FALSEPREDICATE');
    expect(bound('owner IN {$user.missing, "x"}', [], user)).toBe("owner == 'x'");
  });

  it('are all missing without a user', () => {
    expect(bound('owner == $user.sub')).toBe('FALSEPREDICATE');
    expect(bound('NOT owner == $user.sub')).toBe('FALSEPREDICATE');
  });

  it.each([[() => 1], [{ $where: '1' }], [Number.NaN], [[['nested']]], [Symbol('x')]])(
    'ignores a claim that is no value',
    (claim) => {
      expect(bound('NOT owner == $user.sub', [], { sub: claim })).toBe('FALSEPREDICATE');
    },
  );
});

describe('and()', () => {
  const query = (text: string) => bindQuery(parseQuery(text));

  it('folds constants and repeats', () => {
    expect(and()).toEqual(TRUE_QUERY);
    expect(printQuery(and(TRUE_QUERY, query('a == 1'), TRUE_QUERY))).toBe('a == 1');
    expect(printQuery(and(query('a == 1'), FALSE_QUERY))).toBe('FALSEPREDICATE');
    expect(printQuery(and(query('a == 1 AND b == 2'), query('a == 1')))).toBe('a == 1 AND b == 2');
    expect(printQuery(and(query('a == 1 OR b == 2'), query('c == 3')))).toBe('(a == 1 OR b == 2) AND c == 3');
  });
});
