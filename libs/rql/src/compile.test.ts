import { describe, expect, it } from '@jest/globals';
import { matches } from '../test/matching.ts';
import type { Json } from './json.ts';

type Row = [query: string, document: Record<string, Json>, expected: boolean];

function table(rows: readonly Row[]): void {
  it.each(rows)('%s on %j is %s', (query, document, expected) => {
    expect(matches(query, document)).toBe(expected);
    expect(matches(`NOT (${query})`, document)).toBe(!expected);
  });
}

describe('a missing field equals null', () => {
  table([
    ['a == null', {}, true],
    ['a == nil', { a: null }, true],
    ['a != NULL', {}, false],
    ['a == null', { a: 0 }, false],
    ['a.b == null', { a: 5 }, true],
    ['a.b == null', {}, true],
    ['a == b', {}, true],
    ['a != 5', {}, true],
    ['a < 5', {}, false],
    ['a <= null', {}, true],
    ['a < null', {}, false],
    ['a IN {1, null}', {}, true],
    ["a CONTAINS ''", {}, false],
    ['a BETWEEN {null, null}', {}, true],
  ]);
});

describe('values of different kinds', () => {
  table([
    ["a == '5'", { a: 5 }, false],
    ["a != '5'", { a: 5 }, true],
    ["a < '5'", { a: 4 }, false],
    ["a >= '5'", { a: 5 }, false],
    ['a == true', { a: 1 }, false],
    ['a > false', { a: true }, true],
    ['a == oid(5f0f1b1b1b1b1b1b1b1b1b1b)', { a: '5f0f1b1b1b1b1b1b1b1b1b1b' }, false],
    ['a == oid(5f0f1b1b1b1b1b1b1b1b1b1b)', { a: { $oid: '5F0F1B1B1B1B1B1B1B1B1B1B' } }, true],
    ['a > oid(000000000000000000000000)', { a: { $oid: '000000000000000000000001' } }, true],
    ['a > 5', { a: { $date: '2026-11-24T10:00:00Z' } }, false],
    ['a == b', { a: '1', b: 1 }, false],
    ['a < b', { a: 1, b: '2' }, false],
    ['a != b', { a: 1, b: '2' }, true],
    ["a == 'x'", { a: { $unknown: 'x' } }, false],
    ['a == b', { a: { $unknown: 'x' }, b: { $unknown: 'x' } }, false],
    ['a == b', { a: { $oid: 'no' }, b: { $oid: 'no' } }, false],
    ['a == a', { a: { $numberDouble: 'NaN' } }, false],
    ['a ==[c] a', { a: { $numberDouble: 'NaN' } }, false],
    ['a == a', { a: { x: { $numberDouble: 'NaN' } } }, true],
    ['a ==[c] b', { a: 1, b: { $numberInt: '1' } }, true],
  ]);
});

describe('numbers', () => {
  table([
    ['a == 5', { a: 5.0 }, true],
    ['a == 5', { a: { $numberInt: '5' } }, true],
    ['a == 5', { a: { $numberLong: '5' } }, true],
    ['a == 5', { a: { $numberDouble: '5.0' } }, true],
    ['a == 5', { a: { $numberDecimal: '5.000' } }, true],
    ['a == 5', { a: { $numberDecimal: '0.5e1' } }, true],
    ['a == 0.1', { a: { $numberDecimal: '0.1' } }, false],
    ['a > 0.1', { a: { $numberDecimal: '0.1' } }, false],
    ['a < 0.1', { a: { $numberDecimal: '0.1' } }, true],
    ['a == 0.5', { a: { $numberDecimal: '0.5' } }, true],
    ['a == 9007199254740993', { a: { $numberLong: '9007199254740993' } }, true],
    ['a == 9007199254740993', { a: { $numberLong: '9007199254740992' } }, false],
    ['a == 9007199254740992', { a: { $numberLong: '9007199254740993' } }, false],
    ['a > 9007199254740992', { a: { $numberLong: '9007199254740993' } }, true],
    ['a < 9223372036854775807', { a: { $numberLong: '9223372036854775806' } }, true],
    ['a == -9223372036854775808', { a: -(2 ** 63) }, true],
    ['a == 0x1F', { a: 31 }, true],
    ['a == -0x1f', { a: -31 }, true],
    ['a == 1e3', { a: 1000 }, true],
    ['a == 1.5E-1', { a: 0.15 }, true],
    ['a == .5', { a: 0.5 }, true],
    ['a == 5.', { a: 5 }, true],
    ['a == +5', { a: 5 }, true],
    ['a == 1.5f', { a: 1.5 }, true],
    ['a == -0', { a: 0 }, true],
    ['a == 0', { a: { $numberDecimal: '-0.00' } }, true],
    ['a < inf', { a: 1e308 }, true],
    ['a < infinity', { a: { $numberDecimal: '1E+6000' } }, true],
    ['a > -INF', { a: { $numberDouble: '-Infinity' } }, false],
    ['a == inf', { a: { $numberDecimal: 'Infinity' } }, true],
    ['a == nan', { a: { $numberDouble: 'NaN' } }, false],
    ['a != nan', { a: { $numberDouble: 'NaN' } }, true],
    ['a <= nan', { a: { $numberDouble: 'NaN' } }, false],
    ['a == b', { a: { $numberDouble: 'NaN' }, b: { $numberDouble: 'NaN' } }, false],
    ['a == 5', { a: { $numberDecimal: 'five' } }, false],
    ['a BETWEEN {1, 5}', { a: 1 }, true],
    ['a BETWEEN {1, 5}', { a: 5 }, true],
    ['a BETWEEN {1, 5}', { a: 5.0001 }, false],
    ['a BETWEEN {5, 1}', { a: 3 }, false],
    ["a BETWEEN {'a', 'c'}", { a: 'b' }, true],
  ]);
});

describe('strings', () => {
  table([
    ["a == 'x'", { a: 'x' }, true],
    ['a == "x"', { a: 'X' }, false],
    ["a ==[c] 'STRAßE'", { a: 'straße' }, true],
    ["a !=[c] 'x'", { a: 'X' }, false],
    ["a !=[c] 'x'", { a: 5 }, true],
    ["a ==[c] 'é'", { a: 'É' }, true],
    ['a ==[c] b', { a: 'x', b: 'X' }, true],
    ['a ==[c] b', { a: 1, b: 1 }, true],
    ["a IN[c] {'x', 'y', 1}", { a: 'Y' }, true],
    ["a IN[c] {'x', 'y', 1}", { a: 1 }, true],
    ["a IN {'x', 'y'}", { a: 'Y' }, false],
    ["a BEGINSWITH 'ab'", { a: 'abc' }, true],
    ["a BEGINSWITH[c] 'AB'", { a: 'abc' }, true],
    ["a ENDSWITH 'bc'", { a: 'abc' }, true],
    ["a CONTAINS 'b'", { a: 'abc' }, true],
    ["a CONTAINS[c] 'B'", { a: 'abc' }, true],
    ["a CONTAINS ''", { a: '' }, true],
    ["a CONTAINS '5'", { a: 5 }, false],
    ["'abc' CONTAINS a", { a: 'b' }, true],
    ["'abc' CONTAINS[c] a", { a: 'B' }, true],
    ["'abc' BEGINSWITH a", { a: 5 }, false],
    ['a CONTAINS b', { a: 'abc', b: 'b' }, true],
    ['a ENDSWITH b', { a: 'abc' }, false],
    ["a LIKE 'a*c'", { a: 'abbbc' }, true],
    ["a LIKE 'a?c'", { a: 'a😀c' }, true],
    ["a LIKE 'a?c'", { a: 'ac' }, false],
    ["a LIKE[c] 'A*'", { a: 'abc' }, true],
    ["a LIKE '*'", { a: 5 }, false],
    ["a == 'it\\'s \\\\ \\n\\t\\u00e9'", { a: "it's \\ \n\té" }, true],
    ['a == \'say "x"\'', { a: 'say "x"' }, true],
    ["a == 'line\nbreak'", { a: 'line\nbreak' }, true],
    ["a < 'b'", { a: 'a' }, true],
    ["a < 'a'", { a: 'B' }, true],
    ["a > '\uFFFD'", { a: '😀' }, true],
    ["a > '😀'", { a: '\uFFFD' }, false],
    ["a < '😀'", { a: 'zzz' }, true],
    ["a >= 'ab'", { a: 'abc' }, true],
    ['a > b', { a: '😀', b: '\uFFFD' }, true],
  ]);
});

describe('dates', () => {
  const at = (iso: string): Record<string, Json> => ({ a: { $date: iso } });
  table([
    ['a == 2026-11-24@10:00:00', at('2026-11-24T10:00:00Z'), true],
    ['a == 2026-11-24T10:00:00', at('2026-11-24T12:00:00+02:00'), true],
    ['a == 2026-11-24T10:00:00.250Z', at('2026-11-24T10:00:00.250Z'), true],
    ['a == 2026-11-24@10:00:00:250000000', at('2026-11-24T10:00:00.250Z'), true],
    ['a == T1795514400:0', at('2026-11-24T10:00:00Z'), true],
    ['a == T1795514400:5000000', at('2026-11-24T10:00:00.005Z'), true],
    ['a == T-1:-500000000', { a: { $date: { $numberLong: '-1500' } } }, true],
    ['a < 2026-11-24@10:00:00', { a: { $date: 0 } }, true],
    ['a > 1969-12-31@23:59:59', { a: { $date: 0 } }, true],
    ['a > 0001-01-01@00:00:00', { a: { $date: 0 } }, true],
    ['a == 2026-11-24@10:00:00', { a: '2026-11-24T10:00:00Z' }, false],
    ['a == 2026-11-24@10:00:00', { a: { $date: 'not a date' } }, false],
    ['a BETWEEN {2026-01-01@00:00:00, 2026-12-31@00:00:00}', at('2026-06-01T00:00:00Z'), true],
  ]);
});

describe('identifiers and binary', () => {
  const uuid = '3b241101-e2bb-4255-8caf-4136c566a962';
  const binary = { $binary: { base64: 'OyQRAeK7QlWMr0E2xWapYg==', subType: '4' } };
  table([
    [`a == uuid(${uuid})`, { a: { $uuid: uuid.toUpperCase() } }, true],
    [`a == uuid(${uuid})`, { a: binary }, true],
    [`a == uuid(${uuid})`, { a: uuid }, false],
    [`a > uuid(00000000-0000-0000-0000-000000000000)`, { a: { $uuid: uuid } }, true],
    [
      'a == b',
      { a: { $binary: { base64: 'AQI=', subType: '00' } }, b: { $binary: { base64: 'AQI', subType: '0' } } },
      true,
    ],
    [
      'a == b',
      { a: { $binary: { base64: 'AQI=', subType: '00' } }, b: { $binary: { base64: 'AQI=', subType: '80' } } },
      false,
    ],
    [
      'a <= b',
      { a: { $binary: { base64: 'AQI=', subType: '00' } }, b: { $binary: { base64: 'AQI=', subType: '00' } } },
      false,
    ],
  ]);
});

describe('lists', () => {
  const tags = { tags: ['x', 'y'] };
  table([
    ["tags == 'x'", tags, true],
    ["'x' IN tags", tags, true],
    ["tags == 'z'", tags, false],
    ["tags != 'x'", tags, true],
    ["tags != 'x'", { tags: ['x'] }, false],
    ["NONE tags == 'x'", tags, false],
    ["NONE tags == 'z'", tags, true],
    ["ALL tags == 'x'", tags, false],
    ["ALL tags IN {'x', 'y', 'z'}", tags, true],
    ["ALL tags LIKE '?'", tags, true],
    ["ANY tags == 'x'", { tags: [] }, false],
    ["tags != 'x'", { tags: [] }, false],
    ["ALL tags == 'x'", { tags: [] }, true],
    ["NONE tags == 'x'", { tags: [] }, true],
    ["ALL tags == 'x'", {}, false],
    ['ALL tags == null', {}, true],
    ["NONE tags == 'x'", {}, true],
    ["ALL tags == 'x'", { tags: 'x' }, true],
    ['tags == null', { tags: [] }, false],
    ['tags == null', { tags: [null] }, true],
    ['tags > 3', { tags: [1, 'z', 5] }, true],
    ['tags BETWEEN {2, 3}', { tags: [1, 4] }, false],
    ['ALL tags BETWEEN {1, 4}', { tags: [1, 4] }, true],
    ["tags CONTAINS 'el'", { tags: ['hello', 1] }, true],
    ["'hello' CONTAINS ALL tags", { tags: ['h', 'o'] }, true],
    ["'hello' CONTAINS ALL tags", { tags: ['h', 'x'] }, false],
    ['name CONTAINS ALL tags', { name: 'hello', tags: ['h', 'e'] }, true],
    ['ALL names CONTAINS tag', { names: ['ab', 'bc'], tag: 'b' }, true],
    ['tags == 1', { tags: [[1]] }, false],
    ["ALL {'x', 'y'} IN tags", tags, true],
    ["ALL {'x', 'z'} IN tags", tags, false],
    ['a == b', { a: [1, 2], b: [2, 3] }, true],
    ['ALL a == b', { a: [1, 2], b: [2, 3] }, false],
    ['ALL a == b', { a: [2, 2], b: [2, 3] }, true],
    ['a == ALL b', { a: [2, 3, 4], b: [2, 3] }, true],
    ['NONE a == b', { a: [1], b: [2] }, true],
    ['a IN b', { a: 1, b: [2, 1] }, true],
    ['ALL a < b', { a: [], b: [] }, true],
    ['a != b', { a: [], b: [1] }, false],
    ['a == b', { a: [[1, 2]], b: [[1, { $numberInt: '2' }]] }, true],
  ]);
});

describe('embedded documents', () => {
  const order = { items: [{ price: 3, tags: ['a'] }, { price: 9, tags: ['b', 'c'] }, {}], doc: { x: { y: 1 } } };
  table([
    ['doc.x.y == 1', order, true],
    ['doc.x.z == 1', order, false],
    ['items.price > 5', order, true],
    ['ALL items.price > 1', order, false],
    ['items.price == null', order, true],
    ['ALL items.price != 5', order, true],
    ["items.tags == 'c'", order, true],
    ['items.price == null', { items: [] }, false],
    ['items.price == null', { items: [1, 'x', [{ price: 1 }]] }, false],
    ['items.price == 1', { items: [[{ price: 1 }]] }, false],
    ['a.b.c == 1', { a: [{ b: { c: 1 } }, { b: 5 }] }, true],
    ['a.b.c == null', { a: [{ b: { c: 1 } }, { b: 5 }] }, true],
    ['a.b == null', { a: { $oid: '5f0f1b1b1b1b1b1b1b1b1b1b' } }, true],
  ]);

  it('are equal with equal fields in equal order', () => {
    expect(matches('a == $0', { a: { x: 1, y: null } }, [{ x: { $numberLong: '1' }, y: null }])).toBe(true);
    expect(matches('a == $0', { a: { y: null, x: 1 } }, [{ x: 1, y: null }])).toBe(false);
    expect(matches('a == $0', { a: { x: 1 } }, [{ x: 1, y: null }])).toBe(false);
    expect(matches('a IN $0', { a: { x: 1 } }, [[{ x: 2 }, { x: 1 }]])).toBe(true);
    expect(matches('a <= $0', { a: { x: 1 } }, [{ x: 1 }])).toBe(false);
    expect(matches('a == $0', { a: { x: ['1,2'] } }, [{ x: ['1', '2'] }])).toBe(false);
  });
});

describe('names that prototypes have', () => {
  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'a.constructor', 'a.__proto__.x', 'list.length'])(
    '%s is a field like any other',
    (path) => {
      expect(matches(`${path} == null`, { a: {}, list: [{}] })).toBe(true);
    },
  );

  it('are found when the document has them', () => {
    const document = JSON.parse('{"__proto__": {"x": 1}, "constructor": "c"}') as Record<string, Json>;
    expect(matches("constructor == 'c' AND __proto__.x == 1", document)).toBe(true);
    expect(matches('x == null', document)).toBe(true);
  });
});

describe('a document nested deeper than any store keeps', () => {
  it('costs no more than its size', () => {
    let [a, b]: [Json, Json] = [1, 1];
    for (let depth = 0; depth < 50_000; depth += 1) [a, b] = [{ x: a }, [b]];
    expect(matches('a == b', { a, b: 1 })).toBe(false);
    expect(matches('a == b', { a: [b], b: [b] })).toBe(true);
  });
});
