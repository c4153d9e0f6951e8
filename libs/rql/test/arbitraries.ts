import fc from 'fast-check';
import type { Comparison, Constant, Field, Spec, Value } from './naive-evaluator.ts';

/** Few values of many kinds, several of them equal in another form, so that generated queries meet generated documents. */
const SCALARS: readonly Value[] = [
  null,
  true,
  false,
  0,
  1,
  2,
  -1,
  1.5,
  0.1,
  9007199254740992,
  { $numberInt: '1' },
  { $numberLong: '2' },
  { $numberLong: '9007199254740993' },
  { $numberDouble: '1.5' },
  { $numberDouble: 'Infinity' },
  { $numberDouble: 'NaN' },
  { $numberDecimal: '0.1' },
  { $numberDecimal: '1.50' },
  { $numberDecimal: '9007199254740993' },
  { $numberDecimal: '1E+400' },
  '',
  'a',
  'A',
  'ab',
  'Äb',
  'äB',
  '1',
  '😀',
  '\uFFFD',
  'a\'b\\"\n',
  { $date: '2026-11-24T10:00:00Z' },
  { $date: '2026-11-24T11:00:00.000+01:00' },
  { $date: { $numberLong: '1795514400000' } },
  { $date: { $numberLong: '-1500' } },
  { $oid: '5f0f1b1b1b1b1b1b1b1b1b1b' },
  { $oid: '5F0F1B1B1B1B1B1B1B1B1B1B' },
  { $oid: '000000000000000000000001' },
  { $uuid: '3b241101-e2bb-4255-8caf-4136c566a962' },
  { $binary: { base64: 'OyQRAeK7QlWMr0E2xWapYg==', subType: '04' } },
  { $binary: { base64: 'AQI=', subType: '00' } },
  { x: 1 },
  { x: { $numberInt: '1' } },
  { x: 1, y: null },
];

/** Numbers whose sums and thirds naive arithmetic gets right, for documents that aggregates are asked of. */
const SUMMABLE: readonly Value[] = [0, 3, 6, -3, 1.5, { $numberLong: '12' }, { $numberDecimal: '4.5' }, null, 'x'];

export const scalar: fc.Arbitrary<Value> = fc.constantFrom(...SCALARS);
const NAMES = ['a', 'b', 'c', '__proto__', 'größe', 'two words'];
const PATHS: readonly (readonly string[])[] = [
  ...NAMES.map((name) => [name]),
  ['tags'],
  ['nested'],
  ['doc', 'x'],
  ['doc', 'list'],
  ['doc', 'constructor'],
  ['items', 'x'],
  ['items', 'tags'],
  ['items', 'doc', 'x'],
  ['items'],
];
const SUMS = [['numbers'], ['items', 'n']] as const;

function partly<T>(shape: Record<string, fc.Arbitrary<T>>): fc.Arbitrary<Record<string, T>> {
  return fc.array(fc.constantFrom(...Object.keys(shape)), { maxLength: 8 }).chain((keys) => {
    const chosen = [...new Set(keys)];
    return fc
      .tuple(...chosen.map((key) => shape[key] as fc.Arbitrary<T>))
      .map((values) => Object.fromEntries(chosen.map((key, index) => [key, values[index] as T])));
  });
}

const list = fc.array(scalar, { maxLength: 4 });
const item: fc.Arbitrary<Value> = fc.oneof(
  {
    weight: 5,
    arbitrary: partly<Value>({
      x: scalar,
      tags: list,
      doc: partly<Value>({ x: scalar }),
      n: fc.constantFrom(...SUMMABLE),
    }),
  },
  { weight: 1, arbitrary: scalar },
);

export const document: fc.Arbitrary<Record<string, Value>> = partly<Value>({
  ...Object.fromEntries(NAMES.map((name) => [name, fc.oneof(scalar, scalar, list) as fc.Arbitrary<Value>])),
  tags: list,
  nested: fc.array(fc.oneof(scalar, list), { maxLength: 3 }),
  doc: fc.oneof(partly<Value>({ x: scalar, list }), scalar),
  items: fc.oneof({ weight: 6, arbitrary: fc.array(item, { maxLength: 3 }) }, { weight: 1, arbitrary: scalar }),
  numbers: fc.array(fc.constantFrom(...SUMMABLE), { maxLength: 4 }),
});

export const user: fc.Arbitrary<Record<string, Value>> = partly<Value>({
  sub: scalar,
  groups: fc.array(scalar, { maxLength: 3 }),
});

const word = fc.constantFrom('any', 'all', 'none', undefined, undefined, undefined);
const path: fc.Arbitrary<Field> = fc
  .record({ path: fc.constantFrom(...PATHS), word })
  .map((p) => ({ is: 'path' as const, path: p.path, ...(p.word ? { word: p.word } : {}) }));
const barePath: fc.Arbitrary<Field> = fc.constantFrom(...PATHS).map((p) => ({ is: 'path' as const, path: p }));
const aggregate: fc.Arbitrary<Field> = fc.oneof(
  fc.record({
    is: fc.constant('aggregate' as const),
    path: fc.constantFrom(...PATHS, ...SUMS),
    fn: fc.constantFrom('count' as const),
  }),
  fc.record({
    is: fc.constant('aggregate' as const),
    path: fc.constantFrom<readonly string[]>(...SUMS),
    fn: fc.constantFrom('min' as const, 'max' as const, 'sum' as const, 'avg' as const),
  }),
);
const field: fc.Arbitrary<Field> = fc.oneof({ weight: 6, arbitrary: path }, { weight: 1, arbitrary: aggregate });
const spelled = fc.constantFrom('literal' as const, 'argument' as const);
const value: fc.Arbitrary<Constant> = fc.record({
  is: fc.constant('value' as const),
  value: fc.oneof(scalar, fc.constantFrom<Value>(0, 3, 4.5)),
  spelled,
});
const listed = (words: fc.Arbitrary<'any' | 'all' | 'none' | undefined>): fc.Arbitrary<Constant> =>
  fc
    .record({ values: fc.array(scalar, { maxLength: 4 }), spelled, word: words })
    .map((l) => ({ is: 'list' as const, values: l.values, spelled: l.spelled, ...(l.word ? { word: l.word } : {}) }));
const claim: fc.Arbitrary<Constant> = fc.constantFrom('sub', 'groups').map((name) => ({ is: 'claim' as const, name }));
const relational = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
const textual = fc.constantFrom('BEGINSWITH', 'ENDSWITH', 'CONTAINS');

function comparison(
  parts: Record<'operator' | 'left' | 'right', fc.Arbitrary<unknown>>,
  foldable: boolean,
): fc.Arbitrary<Comparison> {
  const folded = foldable ? fc.boolean() : fc.constant(false);
  return fc.record({ is: fc.constant('comparison' as const), ...parts, folded }) as fc.Arbitrary<Comparison>;
}

const leaf: fc.Arbitrary<Spec> = fc.oneof<fc.Arbitrary<Spec>[]>(
  comparison({ operator: relational, left: field, right: value }, false),
  comparison({ operator: relational, left: value, right: field }, false),
  comparison({ operator: fc.constantFrom('==', '!='), left: field, right: value }, true),
  comparison({ operator: fc.constantFrom('==', 'IN'), left: field, right: listed(fc.constant(undefined)) }, true),
  comparison({ operator: relational, left: barePath, right: listed(word) }, false),
  comparison({ operator: fc.constant('IN'), left: listed(word), right: barePath }, false),
  comparison({ operator: fc.constant('IN'), left: value, right: path }, true),
  comparison({ operator: relational, left: path, right: barePath }, false),
  comparison({ operator: relational, left: fc.oneof(barePath, aggregate), right: path }, false),
  comparison({ operator: fc.constantFrom('==', '!='), left: field, right: barePath }, true),
  comparison({ operator: textual, left: path, right: fc.oneof(value, barePath) }, true),
  comparison({ operator: textual, left: fc.oneof(value, barePath), right: path }, true),
  comparison({ operator: fc.constant('LIKE'), left: path, right: pattern() }, true),
  comparison({ operator: fc.constantFrom('==', 'IN'), left: field, right: claim }, false),
  comparison({ operator: fc.constantFrom('==', '!='), left: value, right: claim }, false),
  comparison({ operator: relational, left: value, right: value }, false),
  fc.record({ is: fc.constant('between' as const), operand: field, low: scalar, high: scalar }),
  fc.record({ is: fc.constant('constant' as const), value: fc.boolean() }),
);

function pattern(): fc.Arbitrary<Constant> {
  const text = fc.array(fc.constantFrom('a', 'b', '?', '*', '😀'), { maxLength: 4 }).map((parts) => parts.join(''));
  return fc.record({ is: fc.constant('value' as const), value: text, spelled });
}

export const spec: fc.Arbitrary<Spec> = fc.letrec<{ spec: Spec }>((tie) => ({
  spec: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({
      is: fc.constantFrom('and' as const, 'or' as const),
      members: fc.array(tie('spec'), { minLength: 2, maxLength: 4 }),
    }),
    fc.record({ is: fc.constant('not' as const), member: tie('spec') }),
  ),
})).spec;

const equality = comparison(
  { operator: fc.constantFrom('==', 'IN'), left: barePath, right: listed(fc.constant(undefined)) },
  false,
);

/** Queries that an index can find: equalities, alone, in an AND with others, in an OR with others of the same field. */
export const indexable: fc.Arbitrary<Spec> = fc.oneof<fc.Arbitrary<Spec>[]>(
  equality,
  fc.record({ is: fc.constant('and' as const), members: fc.tuple(equality, spec) }),
  fc.record({
    is: fc.constantFrom('and' as const, 'or' as const),
    members: fc.array(equality, { minLength: 2, maxLength: 3 }),
  }),
  fc.tuple(equality, equality, spec).map(([a, b, c]) => ({
    is: 'or' as const,
    members: [a, { is: 'and' as const, members: [c, { ...b, left: a.left }] }],
  })),
);
