import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { printQuery } from '../test/print.ts';
import { bindQuery } from './bind.ts';
import { compile } from './compile.ts';
import { parseQuery } from './parser.ts';
import { QueryError } from './query-error.ts';
import type { Node } from './tree.ts';

/** The tree as nested parentheses. */
function shape(text: string): string {
  return print(parseQuery(text).root);
}

function print(node: Node): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return `(${node.members.map(print).join(` ${node.kind} `)})`;
    case 'not':
      return `not ${print(node.member)}`;
    case 'constant':
      return String(node.value);
    case 'between':
      return 'between';
    default:
      return node.left.kind === 'path' ? node.left.path.join('.') : node.operator;
  }
}

function refusal(text: string, options = {}): QueryError {
  try {
    parseQuery(text, options);
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('precedence', () => {
  it.each([
    ['a == 1 AND b == 1 OR c == 1', '((a and b) or c)'],
    ['a == 1 OR b == 1 AND c == 1', '(a or (b and c))'],
    ['NOT a == 1 AND b == 1', '(not a and b)'],
    ['!a == 1 || b == 1', '(not a or b)'],
    ['NOT (a == 1 AND b == 1)', 'not (a and b)'],
    ['NOT NOT a == 1', 'not not a'],
    ['(a == 1 OR b == 1) AND c == 1', '((a or b) and c)'],
    ['a == 1 && b == 1 && c == 1', '(a and b and c)'],
    ['a == 1 or b == 1 Or c == 1', '(a or b or c)'],
    ['((a == 1))', 'a'],
    ['TRUEPREDICATE AND NOT FalsePredicate', '(true and not false)'],
  ])('%s', (text, expected) => {
    expect(shape(text)).toBe(expected);
  });
});

describe('parseQuery', () => {
  it.each(['', ' ', '\n\t \r\n'])('takes nothing at all (%j) for everything', (text) => {
    expect(parseQuery(text).root).toEqual({ kind: 'constant', value: true });
  });

  it('keeps the source and counts the arguments', () => {
    const query = parseQuery('a == $3 AND b IN {$1, 2}');
    expect(query).toMatchObject({ source: 'a == $3 AND b IN {$1, 2}', argumentCount: 4, usesUser: false });
    expect(parseQuery('a == 1').argumentCount).toBe(0);
  });

  it('knows whether it asks for the user', () => {
    const query = parseQuery('owner == $user.sub OR team IN $user.org.teams', { allowUser: true });
    expect(query.usesUser).toBe(true);
    expect(query.root).toMatchObject({
      members: [{ right: { kind: 'user', path: ['sub'] } }, { right: { kind: 'user', path: ['org', 'teams'] } }],
    });
  });

  it.each([
    ['_id', ['_id']],
    ['größe', ['größe']],
    ['名前.姓', ['名前', '姓']],
    ['first\\ name', ['first name']],
    ['tab\\tin', ['tab\tin']],
    ['a-b', ['a-b']],
    ['a . b', ['a', 'b']],
    ['in', ['in']],
    ['contains', ['contains']],
    ['sort.limit', ['sort', 'limit']],
    ['a.any.null', ['a', 'any', 'null']],
    ['anything', ['anything']],
    ['oid', ['oid']],
    ['Txt', ['Txt']],
    ['🎈', ['🎈']],
    ['__proto__', ['__proto__']],
  ])('reads the field %s', (field, path) => {
    expect(parseQuery(`${field} == 1`).root).toMatchObject({ left: { kind: 'path', path } });
  });

  it.each([
    ['a == 1', '=='],
    ['a = 1', '=='],
    ['a != 1', '!='],
    ['a <> 1', '!='],
    ['a<1', '<'],
    ['a<=1', '<='],
    ['a=<1', '<='],
    ['a>1', '>'],
    ['a>=1', '>='],
    ['a=>1', '>='],
    ["a beginsWith 'x'", 'beginsWith'],
    ["a ENDSWITH 'x'", 'endsWith'],
    ["a Contains 'x'", 'contains'],
    ["a like 'x'", 'like'],
    ['a in {1}', 'in'],
  ])('reads the operator of %s', (text, operator) => {
    expect(parseQuery(text).root).toMatchObject({ operator });
  });

  it.each(['a ==[c] "x"', 'a == [C] "x"', 'a IN[c] {"x"}', 'a !=[c] "x"', 'a LIKE[c] "x"'])(
    'folds case in %s',
    (text) => {
      expect(parseQuery(text).root).toMatchObject({ caseInsensitive: true });
    },
  );

  it.each([
    ['items.@max.price > 1', 'max', ['items', 'price']],
    ['items.price.@max > 1', 'max', ['items', 'price']],
    ['items.@COUNT > 1', 'count', ['items']],
    ['items.@size > 1', 'count', ['items']],
    ['items.@avg.a.b > 1', 'avg', ['items', 'a', 'b']],
  ])('reads the aggregate of %s', (text, aggregate, path) => {
    expect(parseQuery(text).root).toMatchObject({ left: { kind: 'aggregate', aggregate, path } });
  });
});

describe('a refusal says where and what was expected', () => {
  it.each([
    ['a', 2, 'IN BETWEEN', 'the end'],
    ['a ==', 5, 'a field or a value', 'the end'],
    ['a == AND b == 1', 6, 'a field or a value', '"AND"'],
    ['== 1', 1, 'a field or a value', '"=="'],
    ['a == 1 b == 2', 8, 'AND, OR or the end', '"b"'],
    ['a == 1)', 7, 'AND, OR or the end', '")"'],
    ['(a == 1', 8, 'AND, OR or )', 'the end'],
    ['a == 1 AND', 11, 'a field or a value', 'the end'],
    ['NOT', 4, 'a field or a value', 'the end'],
    ['()', 2, 'a field or a value', '")"'],
    ['(a) == 1', 3, 'IN BETWEEN', '")"'],
    ['a + 1 == 2', 3, 'an operator', '"+"'],
    ["a == 'x", 6, "a closing '", 'the end'],
    ["a == 'x\\q'", 8, 'one of the escapes', '\\q'],
    ["a == '\\u12'", 7, 'one of the escapes', '\\u'],
    ['a == 5abc', 7, 'AND, OR or the end', '"abc"'],
    ['a == 9223372036854775808', 6, 'an integer of 64 bits', '9223372036854775808'],
    ['a == 1e400', 6, 'within the range of a double', '1e400'],
    ['a == 2026-13-01@10:00:00', 6, 'a date that exists', '2026-13-01@10:00:00'],
    ['a == 2026-02-30T10:00:00', 6, 'a date that exists', '2026-02-30'],
    ['a == 2026-02-20T24:00:00', 6, 'a date that exists', '24:00:00'],
    ['a == T1:-5', 6, 'a date that exists', 'T1:-5'],
    ['a == T99999999999999:0', 6, 'a date that exists', 'T9999'],
    ['a == oid(123)', 6, 'oid(24 hexadecimal digits)', 'oid(123)'],
    ['a == uuid(3b241101e2bb42558caf4136c566a962)', 6, 'uuid(8-4-4-4-12', 'uuid('],
    ["a == ejson('[1]')", 6, 'ejson(', 'ejson('],
    ["a == ejson('{')", 6, 'ejson(', 'ejson('],
    ['a == $256', 6, '$0 to $255', '$256'],
    ['a == $name', 6, 'a field or a value', '"$name"'],
    ['a == $user.sub', 6, '$user is for rules', '"$user"'],
    ['a IN 5', 6, 'a list', 'a single value'],
    ["a IN 'abc'", 6, 'a list', 'a single value'],
    ['a IN b.@count', 6, 'a list', 'a single value'],
    ['a IN {1, 2', 11, ', or }', 'the end'],
    ['a IN {1, b}', 10, 'a value or an argument', '"b"'],
    ['a IN {1 2}', 9, ', or }', '"2"'],
    ['a IN {,}', 7, 'a value or an argument', '","'],
    ['a BETWEEN 1', 11, '{', '"1"'],
    ['a BETWEEN {1}', 11, '{low, high}', 'another number'],
    ['a BETWEEN {1, 2, 3}', 11, '{low, high}', 'another number'],
    ['a LIKE b', 8, 'a pattern or an argument', 'a field'],
    ['a <[c] "x"', 4, 'a field or a value', '"[c]"'],
    ['ANY 5 == a', 5, 'a field or a list', 'a single value'],
    ['ANY a.@count == 5', 5, 'a field or a list', 'a single value'],
    ['ANY a == ALL b', 10, 'one of ANY, ALL, NONE', 'two'],
    ['any == 1', 5, 'a field or a value', '"=="'],
    ['null.a == 1', 5, 'IN BETWEEN', '"."'],
    ['a. == 1', 4, 'a field, @count', '"=="'],
    ['a.@links.@count == 1', 3, '@count, @size', '"@links"'],
    ['@links.Person.dogs.@count == 1', 1, 'a field or a value', '"@links"'],
    ['a.@type == "string"', 3, '@count', '"@type"'],
    ['a.@count.b == 1', 9, 'IN BETWEEN', '"."'],
    ['a[0] == 1', 2, 'an operator', '"["'],
    ['a.0 == 1', 2, 'IN BETWEEN', '".0"'],
    ['a == 1 SORT(a ASC)', 8, 'AND, OR or the end', 'cannot sort'],
    ['a == 1 DISTINCT(a)', 8, 'AND, OR or the end', 'cannot sort'],
    ['a == 1 limit(5)', 8, 'AND, OR or the end', 'cannot sort'],
    ['SORT(a ASC)', 5, 'IN BETWEEN', '"("'],
    ['SUBQUERY(items, $x, $x.price > 1).@count > 0', 1, 'a field or a value', '"SUBQUERY"'],
    ['a TEXT "word"', 3, 'IN BETWEEN', '"TEXT"'],
    ['a == 1; drop', 7, 'an operator', '";"'],
    ['a == 1 -- b', 8, 'an operator', '"-"'],
    ['$where == 1', 1, 'a field or a value', '"$where"'],
    ['a == 1 AND\u00A0b == 1', 11, 'an operator', '"\u00A0"'],
  ])('%s', (text, position, expected, found) => {
    const error = refusal(text);
    expect(error).toMatchObject({ code: 'invalid_query', position });
    expect(error.message).toContain(`at position ${position}:`);
    expect(error.message).toContain(expected);
    expect(error.message).toContain(found);
  });

  it('lists the alternatives', () => {
    expect(refusal('(a == 1').expected).toEqual(['AND', 'OR', ')']);
  });

  it('quotes a bounded part of the text', () => {
    expect(refusal(`a == ${'9'.repeat(10_000)}`).message.length).toBeLessThan(400);
  });

  it.each(['$user == a', '$user. == a'])('wants a claim in %s', (text) => {
    expect(refusal(text, { allowUser: true }).message).toContain('claim');
  });
});

describe('the limits', () => {
  const nested = (depth: number): string => `${'('.repeat(depth)}a == 1${')'.repeat(depth)}`;

  it('allows 64 levels and no more', () => {
    expect(shape(nested(64))).toBe('a');
    expect(refusal(nested(65)).position).toBe(65);
    expect(shape(`${'NOT '.repeat(64)}a == 1`)).toMatch(/^(not ){64}a$/);
    expect(refusal(`${'!'.repeat(65)}a == 1`).message).toContain('deeper than 64');
  });

  it('allows many members, which is no depth', () => {
    const text = Array.from({ length: 1500 }, () => 'a == 1').join('||');
    expect(parseQuery(text).root).toMatchObject({ kind: 'or' });
  });

  it('allows 16 KiB of text, counted as bytes', () => {
    expect(shape(`a == '${'x'.repeat(16 * 1024 - 7)}'`)).toBe('a');
    expect(refusal(`a == '${'x'.repeat(16 * 1024 - 6)}'`).message).toContain('16384 bytes');
    expect(refusal(`a == '${'é'.repeat(9 * 1024)}'`).message).toContain('16384 bytes');
  });

  it('allows 1,000 members of a list', () => {
    const list = (length: number): string => `a IN {${Array.from({ length }, (_, index) => index).join(',')}}`;
    expect(parseQuery(list(1000)).root).toMatchObject({ operator: 'in' });
    expect(refusal(list(1001)).message).toContain('more than 1000');
  });

  it('allows paths of 64 names', () => {
    const path = (length: number): string => Array.from({ length }, () => 'a').join('.');
    expect(parseQuery(`${path(64)} == 1`).root).toMatchObject({ operator: '==' });
    expect(refusal(`${path(65)} == 1`).message).toContain('64 names');
    expect(refusal(`a.@max.${path(64)} == 1`).message).toContain('64 names');
  });
});

describe('any text at all', () => {
  const pieces = fc.constantFrom(
    ...[
      'a',
      'b.c',
      'items.@max',
      '.',
      '@count',
      '==',
      '!=',
      '<',
      'IN',
      'BETWEEN',
      'LIKE',
      '[c]',
      '{',
      '}',
      '(',
      ')',
      ',',
    ],
    ...[
      'AND',
      '||',
      'NOT',
      '!',
      'ANY',
      'ALL',
      'NONE',
      "'x'",
      '"',
      "'",
      '\\',
      '1',
      '-1.5e3',
      '0x1F',
      '.',
      '$0',
      '$user',
      '$',
    ],
    ...[
      'null',
      'nan',
      '-inf',
      'oid(',
      'uuid(',
      "ejson('",
      'T1:0',
      '2026-01-01@00:00:00',
      'SUBQUERY',
      'SORT',
      '😀',
      '\uD800',
      '\0',
      ' ',
    ],
  );
  const soup = fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join(' '));
  const text = fc.oneof(
    soup,
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  );

  it('is parsed or refused with a position inside it, never anything else', () => {
    let parsed = 0;
    fc.assert(
      fc.property(text, fc.boolean(), (source, allowUser) => {
        try {
          const query = bindQuery(parseQuery(source, { allowUser }), { args: [1], user: { a: 'x' } });
          compile(query)({ a: [1, 'x', { c: 1 }], b: { c: null } });
          expect(printQuery(bindQuery(parseQuery(printQuery(query))))).toBe(printQuery(query));
          parsed += 1;
        } catch (error) {
          if (!(error instanceof QueryError)) throw error;
          expect(error.position).toBeGreaterThanOrEqual(1);
          expect(error.position).toBeLessThanOrEqual(source.length + 1);
          expect(error.message).toMatch(/^Invalid query at position \d+: [\s\S]+\.$/);
        }
      }),
      { numRuns: 5000 },
    );
    expect(parsed).toBeGreaterThan(5);
  });

  it('takes time in proportion to its length, whatever it is', () => {
    for (const hostile of ['1', '-', 'a', '1-', 'T1', 'é\\ ', '$', "'\\u0041", '!', '(', 'a.', '{', '=<']) {
      const source = hostile.repeat(Math.floor(16_000 / hostile.length / 2));
      const started = performance.now();
      refusal(`${source}#`);
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });
});
