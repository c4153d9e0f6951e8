import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '@tidemark/protocol';
import { type BoundQuery, bindQuery, compile, parseQuery } from '@tidemark/rql';
import fc from 'fast-check';
import { type Collection, type Filter, type MongoClient, ObjectId, Timestamp } from 'mongodb';
import { toBson } from './bson-values.ts';
import { createClient } from './create-client.ts';
import { type DocumentRow, readDocumentRow } from './document-rows.ts';
import { filterOf } from './rql-filter.ts';
import { type MongoServer, startMongo } from './testing/index.ts';

let server: MongoServer;
let client: MongoClient;
const database = `test-${randomUUID()}`;
let rows: Collection<DocumentRow>;

beforeAll(async () => {
  server = await startMongo();
  client = await createClient(server.uri).connect();
}, 120_000);

beforeEach(() => {
  rows = client.db(database).collection<DocumentRow>(randomUUID());
});

afterAll(async () => {
  await client.db(database).dropDatabase();
  await client.close();
  await server.stop();
});

/**
 * Few values of all kinds, so that queries meet documents. No decimal is close to a double that is not equal to it: MongoDB
 * tells 0.1 and NumberDecimal('0.1') apart, servers that only speak its protocol may not.
 */
const scalars: readonly Json[] = [
  ...[
    null,
    true,
    false,
    0,
    1,
    2,
    -1,
    1.5,
    0.1,
    5e9,
    '',
    'a',
    'A',
    'ab',
    'AB',
    'a\n',
    'äb',
    'ÄB',
    'k',
    '\u212a',
    'ſ',
    'S',
  ],
  ...['😀', '\uFFFD', '1', 'a.b', 'a*c', '$a', 'a\u0000b'],
  ...[
    { $numberLong: '2' },
    { $numberLong: '9007199254740993' },
    { $numberDecimal: '1.50' },
    { $numberDecimal: '0.125' },
  ],
  ...[{ $numberDouble: 'NaN' }, { $numberDouble: 'Infinity' }, { $numberDecimal: '9007199254740993' }],
  ...[{ $date: '2026-11-24T10:00:00.000Z' }, { $date: { $numberLong: '-1500' } }],
  ...[{ $oid: '5f0f1b1b1b1b1b1b1b1b1b1b' }, { $oid: '000000000000000000000001' }],
  ...[{ $uuid: '3b241101-e2bb-4255-8caf-4136c566a962' }, { $uuid: 'ffffffff-ffff-4fff-8fff-ffffffffffff' }],
  ...[{ $binary: { base64: 'AQI=', subType: '00' } }, { $binary: { base64: 'AQI=', subType: '05' } }],
  ...[{ x: 1 }, { x: 1, y: null }, {}],
];
const scalar = fc.constantFrom(...scalars);
const list = fc.array(scalar, { maxLength: 3 });
const nested = fc.array(fc.oneof(scalar, list), { maxLength: 3 });
const inner = fc.record({ x: scalar, tags: list, doc: fc.record({ x: scalar }) }, { requiredKeys: [] });
const anyField = fc.oneof(scalar, scalar, list, nested, inner, fc.array(fc.oneof(inner, scalar), { maxLength: 3 }));
const fields: fc.Arbitrary<JsonObject> = fc.record(
  {
    a: anyField,
    b: anyField,
    doc: fc.oneof(inner, anyField),
    größe: scalar,
    sync_updated_at: anyField,
    _updated_by: scalar,
  },
  { requiredKeys: [] },
);

const path = fc.constantFrom(
  'a',
  'a',
  'b',
  'größe',
  'doc.x',
  'doc.tags',
  'doc.doc.x',
  'a.x',
  'a.tags',
  '_id',
  'sync_updated_at',
  '_updated_by',
);
const quantifier = fc.constantFrom('', '', '', 'ANY ', 'ALL ', 'NONE ');
const aggregate = fc.constantFrom('@count', '@min', '@max', '@sum', '@avg').map((name) => `.${name}`);

interface Leaf {
  readonly text: (index: number) => string;
  readonly args: readonly Json[];
}

const leaf: fc.Arbitrary<Leaf> = fc.oneof<fc.Arbitrary<Leaf>[]>(
  compared(fc.constantFrom('==', '!=', '<', '<=', '>', '>='), scalar),
  compared(
    fc.constantFrom(
      '==[c]',
      '!=[c]',
      'BEGINSWITH',
      'ENDSWITH',
      'CONTAINS',
      'BEGINSWITH[c]',
      'CONTAINS[c]',
      'ENDSWITH[c]',
    ),
    scalar,
  ),
  compared(fc.constantFrom('LIKE', 'LIKE[c]'), pattern()),
  compared(fc.constantFrom('IN', 'IN[c]'), fc.array(scalar, { maxLength: 4 })),
  fc.tuple(quantifier, path, scalar, scalar).map(([word, name, low, high]) => ({
    text: (index) => `${word}${name} BETWEEN {$${index}, $${index + 1}}`,
    args: [low, high],
  })),
  fc.tuple(path, path).map(([left, right]) => ({ text: () => `${left} < ${right}`, args: [] })),
  fc
    .tuple(path, aggregate, fc.constantFrom(0, 1, 2))
    .map(([name, end, count]) => ({ text: () => `${name}${end} >= ${count}`, args: [] })),
  fc.constantFrom('TRUEPREDICATE', 'FALSEPREDICATE').map((text) => ({ text: () => text, args: [] })),
);

function pattern(): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom('a', 'b', '?', '*', '😀'), { maxLength: 4 }).map((parts) => parts.join(''));
}

function compared(operator: fc.Arbitrary<string>, value: fc.Arbitrary<Json>): fc.Arbitrary<Leaf> {
  return fc.tuple(quantifier, path, operator, value).map(([word, name, sign, arg]) => ({
    text: (index) => `${word}${name} ${sign} $${index}`,
    args: [arg],
  }));
}

/** A query of up to three leaves, each maybe negated. */
const query: fc.Arbitrary<{ text: string; args: Json[] }> = fc
  .array(fc.tuple(leaf, fc.boolean(), fc.constantFrom('AND', 'OR')), { minLength: 1, maxLength: 3 })
  .map((members) => {
    let text = '';
    const args: Json[] = [];
    for (const [{ text: textOf, args: own }, negated, joint] of members) {
      const part = `${negated ? 'NOT ' : ''}(${textOf(args.length)})`;
      text = text === '' ? part : `(${text} ${joint} ${part})`;
      args.push(...own);
    }
    return { text, args };
  });

const bind = (text: string, args: readonly Json[] = []) => bindQuery(parseQuery(text), { args });

async function found(bound: BoundQuery): Promise<Set<string>> {
  const { filter } = filterOf(bound);
  if (filter === undefined) return new Set();
  return new Set(
    (await rows.find(filter as Filter<DocumentRow>, { projection: { _id: 1 } }).toArray()).map(({ _id }) =>
      String(_id),
    ),
  );
}

describe('the filter of a query', () => {
  it('finds what the predicate finds, and when exact nothing else', async () => {
    const documents = fc.sample(fields, 400);
    const stored = documents.map((document, index) => ({ ...(toBson(document) as object), _id: `row-${index}` }));
    await rows.insertMany(stored);
    const read = (await rows.find({}, { bsonRegExp: true }).toArray()).map((row) => readDocumentRow(row)!.document);
    await fc.assert(
      fc.asyncProperty(query, async ({ text, args }) => {
        const bound = bind(text, args);
        const predicate = compile(bound);
        const ids = await found(bound);
        const { filter, exact } = filterOf(bound);
        const wanted = read.filter(predicate);
        const missed = wanted.filter((document) => !ids.has(document._id as string));
        expect({ filter, missed }).toEqual({ filter, missed: [] });
        const extra = read.filter((document) => ids.has(document._id as string) && !predicate(document));
        if (exact) expect({ filter, extra }).toEqual({ filter, extra: [] });
      }),
      { numRuns: 600 },
    );
  }, 300_000);

  it('reads values of types that queries do not know', async () => {
    await rows.insertMany([
      { _id: 'time', a: new Timestamp({ t: 1, i: 2 }) },
      { _id: 'expression', a: /x/i },
      { _id: 'id', a: new ObjectId('5f0f1b1b1b1b1b1b1b1b1b1b') },
    ]);
    expect(await found(bind('a != 5'))).toEqual(new Set(['time', 'expression', 'id']));
    expect(await found(bind('a == oid(5f0f1b1b1b1b1b1b1b1b1b1b)'))).toEqual(new Set(['id']));
  });

  it.each([
    'a == 5',
    'a == null',
    "a != 'x'",
    'NOT a > 5',
    "a IN {1, 'x', null}",
    'NONE a IN {1, 2}',
    "a BEGINSWITH 'x.'",
    "a CONTAINS 'x'",
    'ALL a >= 5',
    'doc.x == 5',
    'doc.x > 2026-11-24@10:00:00',
    'NOT (a BETWEEN {1, 5})',
    "(a == 1 OR a == 2) AND NOT b == 'x'",
  ])('says all of %s', (text) => {
    expect(filterOf(bind(text)).exact).toBe(true);
  });

  it.each(['a < b', 'a.@count > 1', 'a ENDSWITH $0', '_sync_fields == 5', 'a LIKE $0', 'doc.x != 5'])(
    'leaves %s to the predicate',
    (text) => {
      expect(filterOf(bind(text, ['x']))).toMatchObject({ exact: false });
    },
  );

  it('finds nothing where nothing can match', () => {
    expect(filterOf(bind('FALSEPREDICATE'))).toEqual({ filter: undefined, exact: true });
    expect(filterOf(bind('a == 5 AND FALSEPREDICATE')).filter).toBeUndefined();
  });

  it('asks the predicate about numbers and texts that no document holds', async () => {
    await rows.insertMany([
      { _id: 'five', a: 5 },
      { _id: 'text', a: '\ufffd' },
    ] as never);
    const value = { $numberDecimal: '5.00000000000000000000000000000000000000000001' };
    const less = {
      kind: 'compare',
      operator: '<',
      left: { kind: 'path', path: ['a'] },
      right: { kind: 'value', value },
    } as const;
    expect(await found({ root: { ...less, quantifier: 'any', negated: false, caseInsensitive: false } })).toContain(
      'five',
    );
    expect(await found(bind('a != $0', ['\ud800']))).toContain('text');
  });

  it('keeps the text of a user out of patterns', () => {
    const { filter } = filterOf(bind('a BEGINSWITH $0', ['.*(a+)+$']));
    expect(filter).toMatchObject({ a: { $regex: { pattern: '^\\.\\*\\(a\\+\\)\\+\\$' } } });
    expect(JSON.stringify(filterOf(bind('a CONTAINS $0', ['x'.repeat(40_000)])).filter).length).toBeLessThan(2_000);
  });
});
