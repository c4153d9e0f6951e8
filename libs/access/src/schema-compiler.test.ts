import { describe, expect, it } from '@jest/globals';
import type { Document, Json } from '@tidemark/protocol';
import { createSchemaCompiler } from './schema-compiler.ts';
import { SchemaError } from './schema-error.ts';

const compile = (schema: unknown) => createSchemaCompiler().compile(schema, 'tasks');
const doc = (fields: Record<string, Json>): Document => ({ _id: 'd1', ...fields });
const faultOf = (schema: unknown, fields: Record<string, Json>) => compile(schema)(doc(fields));

function refusal(schema: unknown): SchemaError {
  try {
    compile(schema);
  } catch (error) {
    if (error instanceof SchemaError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('documents', () => {
  const schema = {
    type: 'object',
    required: ['title'],
    properties: {
      title: { type: 'string', minLength: 1 },
      kind: { enum: ['a', 'b'] },
      version: { const: 2 },
      'a/b~c': { type: 'number' },
      steps: { type: 'array', items: { $ref: '#/$defs/step' } },
      when: { anyOf: [{ type: 'null' }, { type: 'string', format: 'date-time' }] },
    },
    additionalProperties: false,
    if: { required: ['kind'] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: { required: ['version'] },
    $defs: {
      step: {
        type: 'object',
        properties: { steps: { type: 'array', items: { $ref: '#/$defs/step' } }, n: { minimum: 0 } },
      },
    },
  };
  const check = compile(schema);

  it.each<[Record<string, Json>]>([
    [{ title: 'x' }],
    [{ title: 'x', kind: 'a', version: 2 }],
    [{ title: 'x', steps: [{ steps: [{ steps: [], n: 1 }] }] }],
    [{ title: 'x', when: null }],
    [{ title: 'x', when: '2026-11-24T10:00:00Z' }],
    [{ title: 'x', sync_updated_at: 1, _updated_by: 'ann', sync_version: 3, _sync_fields: { a: 1 } }],
  ])('%j is fine', (fields) => {
    expect(check(doc(fields))).toBeUndefined();
  });

  it.each<[Record<string, Json>, string]>([
    [{}, "the document must have required property 'title'"],
    [{ title: '' }, 'title must NOT have fewer than 1 characters'],
    [{ title: 7 }, 'title must be string'],
    [{ title: 'x', kind: 'c', version: 2 }, 'kind must be equal to one of the allowed values: ["a","b"]'],
    [{ title: 'x', version: 3 }, 'version must be equal to constant: 2'],
    [{ title: 'x', more: 1 }, 'the document must NOT have additional properties: more'],
    [{ title: 'x', 'a/b~c': 'x' }, 'a/b~c must be number'],
    [{ title: 'x', steps: [{}, { steps: [{ n: -1 }] }] }, 'steps.1.steps.0.n must be >= 0'],
    [{ title: 'x', kind: 'a' }, "the document must have required property 'version'"],
    [{ title: 'x', when: 'soon' }, 'when must match a schema in anyOf'],
  ])('%j is refused by name', (fields, sentence) => {
    expect(check(doc(fields))).toBe(`the schema of tasks refuses it: ${sentence}`);
  });

  it('own properties only: what every object inherits is neither there nor required', () => {
    expect(faultOf({ required: ['constructor'] }, {})).toMatch(/required property 'constructor'/);
    expect(faultOf({ properties: { toString: { type: 'string' } } }, {})).toBeUndefined();
  });

  it('are never changed', () => {
    const document = Object.freeze(doc({ n: '7' }));
    expect(compile({ properties: { n: { type: 'integer' }, m: { default: 1 } } })(document)).toMatch(
      /n must be integer/,
    );
    expect(document).toEqual(doc({ n: '7' }));
  });

  it('a sentence is bounded', () => {
    const sentence = faultOf({ additionalProperties: false }, { ['x'.repeat(5_000)]: 1 });
    expect(sentence?.length).toBeLessThanOrEqual(400);
  });
});

describe('drafts', () => {
  it.each([
    [undefined, { prefixItems: [{ type: 'number' }] }],
    ['https://json-schema.org/draft/2020-12/schema', { prefixItems: [{ type: 'number' }] }],
    ['http://json-schema.org/draft-07/schema#', { items: [{ type: 'number' }] }],
    ['http://json-schema.org/draft-07/schema', { items: [{ type: 'number' }] }],
  ])('%s', (draft, list) => {
    const schema = { ...(draft === undefined ? {} : { $schema: draft }), properties: { list } };
    expect(faultOf(schema, { list: ['x'] })).toMatch(/list\.0 must be number/);
    expect(faultOf(schema, { list: [1, 'x'] })).toBeUndefined();
  });

  it('others are refused', () => {
    for (const $schema of ['http://json-schema.org/draft-04/schema#', 'https://evil.example/schema', 7]) {
      expect(refusal({ $schema })).toMatchObject({ place: ['$schema'] });
    }
  });

  it('several schemas with one $id live in one file', () => {
    const compiler = createSchemaCompiler();
    const first = compiler.compile({ $id: 'https://a.example/s', required: ['a'] }, 'one');
    const second = compiler.compile({ $id: 'https://a.example/s', required: ['b'] }, 'two');
    expect(first(doc({ a: 1 }))).toBeUndefined();
    expect(second(doc({ a: 1 }))).toMatch(/'b'/);
  });
});

describe('a schema is refused at its place', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['unknown keyword', { type: 'object', propertys: {} }, '', /propertys/],
    ['unknown type', { properties: { a: { type: 'text' } } }, 'properties.a.type', /./],
    ['unknown format', { properties: { a: { format: 'phone' } } }, 'properties.a.format', /expected date, time/],
    ['remote reference', { $ref: 'https://a.example/s.json' }, '$ref', /place of this schema/],
    ['file reference', { $ref: 'other.json#/x' }, '$ref', /place of this schema/],
    ['local file reference', { items: { $ref: 'file:///etc/passwd' } }, 'items.$ref', /place of this schema/],
    ['draft reference', { $ref: 'https://json-schema.org/draft/2020-12/schema' }, '$ref', /place of this schema/],
    ['reference to nothing', { $ref: '#/$defs/a' }, '$ref', /no schema at #\/\$defs\/a/],
    [
      'reference into data',
      { const: { pattern: '(a+)+$' }, allOf: [{ $ref: '#/const' }] },
      'allOf.0.$ref',
      /no schema/,
    ],
    ['dynamic reference', { $dynamicRef: '#a' }, '$dynamicRef', /not supported/],
    ['anchor', { $defs: { a: { $anchor: 'a' } } }, '$defs.a.$anchor', /not supported/],
    ['inner $id', { $defs: { a: { $id: 'x' } } }, '$defs.a.$id', /only stand at the top/],
    ['recursion', { $ref: '#' }, '', /leads back to itself/],
    ['recursion of parts', { anyOf: [{ type: 'null' }, { not: { $ref: '#' } }] }, '', /leads back to itself/],
    [
      'recursion of two',
      { $defs: { a: { $ref: '#/$defs/b' }, b: { allOf: [{ $ref: '#/$defs/a' }] } } },
      '$defs.a',
      /leads back/,
    ],
    ['pattern that is none', { properties: { a: { pattern: '(' } } }, 'properties.a.pattern', /linear/],
    ['back reference', { properties: { a: { pattern: '(a)\\1' } } }, 'properties.a.pattern', /linear/],
    ['lookahead', { propertyNames: { pattern: '(?=a)' } }, 'propertyNames.pattern', /linear/],
    ['pattern as a name', { patternProperties: { '(?!a)': {} } }, 'patternProperties.(?!a)', /linear/],
    ['unique items without end', { properties: { a: { uniqueItems: true } } }, 'properties.a.uniqueItems', /maxItems/],
    ['unique items of many', { items: { uniqueItems: true, maxItems: 1001 } }, 'items.uniqueItems', /maxItems/],
    [
      'in a list of draft-07',
      { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ pattern: '(' }] },
      'items.0.pattern',
      /./,
    ],
    [
      'in dependencies',
      { $schema: 'http://json-schema.org/draft-07/schema#', dependencies: { a: { pattern: '(' } } },
      'dependencies.a.pattern',
      /./,
    ],
  ])('%s', (_, schema, place, reason) => {
    const error = refusal(schema);
    expect(error.message).toMatch(reason);
    expect(error.place.join('.')).toBe(place);
  });

  it('but a field may be called like a keyword', () => {
    const names = {
      $ref: { type: 'string' },
      pattern: { type: 'string' },
      $id: { type: 'string' },
      format: { const: 'phone' },
    };
    expect(faultOf({ properties: names }, { $ref: 'x', pattern: '(', $id: 'x', format: 'phone' })).toBeUndefined();
    expect(faultOf({ properties: names }, { pattern: 7 })).toMatch(/pattern must be string/);
  });

  it('and what is data may look like a schema', () => {
    expect(faultOf({ properties: { a: { const: { $ref: 'x', pattern: '(' } } } }, { a: 1 })).toMatch(/constant/);
  });
});

describe('cost', () => {
  it('patterns that explode elsewhere are linear', () => {
    const check = compile({ properties: { a: { pattern: '^(a+)+$' } } });
    const start = process.cpuUsage();
    expect(check(doc({ a: `${'a'.repeat(100_000)}!` }))).toMatch(/must match pattern/);
    expect(check(doc({ a: 'a'.repeat(1_000) }))).toBeUndefined();
    expect(process.cpuUsage(start).user).toBeLessThan(5_000_000);
  });

  it('two patterns are told apart', () => {
    const check = compile({ properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } } });
    expect(check(doc({ a: 'a', b: 'b' }))).toBeUndefined();
    expect(check(doc({ a: 'b' }))).toMatch(/^.*a must match pattern "\^a\$"/);
    expect(check(doc({ b: 'a' }))).toMatch(/b must match pattern/);
  });

  it('patterns are JavaScript’s: by code point, unanchored, with Unicode classes', () => {
    const check = compile({
      properties: { a: { pattern: '^.$' }, b: { pattern: '\\p{Lu}' }, c: { pattern: '\\u00e9' } },
    });
    expect(check(doc({ a: '😀', b: 'xÄx', c: 'caf\u00e9' }))).toBeUndefined();
    expect(check(doc({ b: 'x' }))).toMatch(/b must match/);
  });

  it('unique items are compared up to maxItems', () => {
    const schema = { properties: { a: { type: 'array', uniqueItems: true, maxItems: 3 } } };
    expect(faultOf(schema, { a: [{ x: 1 }, { x: 1 }] })).toMatch(/duplicate/);
    expect(faultOf(schema, { a: [1, 2, 3] })).toBeUndefined();
    expect(faultOf(schema, { a: [1, 1, 1, 1] })).toMatch(/more than 3 items/);
  });
});

describe('formats', () => {
  it.each([
    [
      'date',
      ['2026-02-28', '2024-02-29', '0000-02-29'],
      ['2026-02-29', '2026-13-01', '2026-00-10', '2026-01-00', '26-1-1', '2100-02-29'],
    ],
    ['time', ['10:00:00Z', '23:59:60.123+01:00', '10:00:00z'], ['10:00:00', '24:00:00Z', '10:60:00Z', '10:00Z']],
    [
      'date-time',
      ['2026-11-24T10:00:00Z', '2026-11-24t10:00:00.5-05:30'],
      ['2026-11-24', '2026-11-24 10:00:00Z', '2026-02-30T10:00:00Z'],
    ],
    [
      'email',
      ['a@b', 'a.b+c@d.example'],
      ['a', 'a@', '@b', 'a@b.', 'a@b..c', 'a b@c', 'a@b@c', `${'x'.repeat(260)}@a`],
    ],
    ['uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123e4567e89b12d3a456426614174000', 'x']],
    ['uri', ['https://a.example/x?y#z', 'mailto:a@b.example'], ['/x', 'a.example', 'http://', ' https://a.example']],
  ])('%s', (format, good, bad) => {
    const check = compile({ properties: { a: { type: 'string', format } } });
    for (const a of good) expect([a, check(doc({ a }))]).toEqual([a, undefined]);
    for (const a of bad) expect([a, check(doc({ a }))]).toEqual([a, expect.stringContaining('must match format')]);
  });
});
