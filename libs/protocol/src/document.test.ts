import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clientFields, documentFault, fieldNameFault } from './document.ts';
import * as limits from './limits.ts';

function nested(depth: number, inner: unknown = 1): Record<string, unknown> {
  let value = inner;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? { in: value } : [value];
  return { top: value };
}

describe('documentFault', () => {
  it.each<[string, Record<string, unknown>]>([
    ['nothing', {}],
    ['every kind of JSON', { a: null, b: true, c: 1.5, d: 'x', e: [1, [2]], f: { g: {} } }],
    ['null as a value like any other', { a: null }],
    ['fields that look like those of objects', { constructor: 1, toString: 2, hasOwnProperty: 3, prototype: 4 }],
    ['Extended JSON anywhere', { a: { $oid: '507f1f77bcf86cd799439011' }, b: [{ $date: 0 }] }],
    ['dots below the top', { a: { 'b.c': 1 } }],
    ['$ inside a name', { a$b: 1, c: { d$: 2 } }],
    ['text that only looks like an operator', { a: '$gt' }],
    ['metadata, which is dropped later', { _id: 'x', sync_updated_at: 5, _updated_by: 'eve', sync_version: 9 }],
    ['Unicode names and values', { größe: '👍', 名: '𠮷' }],
    ['a document without a prototype', Object.assign(Object.create(null), { a: Object.create(null) })],
    ['the deepest nesting', nested(limits.documentDepth)],
    ['the longest name', { ['n'.repeat(limits.fieldName)]: 1 }],
  ])('lets pass %s', (_, data) => {
    expect(documentFault(data)).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an operator', { $set: 1 }, /"\$set" starts with \$/],
    ['an operator deep inside', { a: [{ b: { $gt: '' } }] }, /"\$gt" starts with \$/],
    ['an operator in the clothes of a typed value', { a: { $oid: 'short' } }, /"\$oid" starts with \$/],
    ['an operator beside a typed value', { a: { $date: 0, $gt: 1 } }, /starts with \$/],
    ['a typed value in place of the document', { $oid: '507f1f77bcf86cd799439011' }, /starts with \$/],
    ['a dot at the top', { 'a.b': 1 }, /"a\.b" holds a dot/],
    ['state of the server', { _sync_fields: {} }, /reserved/],
    ['__proto__ at the top', JSON.parse('{"__proto__": 1}'), /__proto__/],
    ['__proto__ inside', { a: JSON.parse('{"__proto__": {"admin": true}}') }, /__proto__/],
    ['an empty name', { '': 1 }, /empty/],
    ['an empty name inside', { a: { '': 1 } }, /empty/],
    ['NUL in a name', { 'a\u0000b': 1 }, /NUL/],
    ['a lone surrogate in a name', { '\ud800': 1 }, /key is not well-formed/],
    ['a lone surrogate in a name inside', { a: [{ 'b\udc00': 1 }] }, /key is not well-formed/],
    ['a lone surrogate in a text', { a: 'x\ud800' }, /not well-formed/],
    ['a lone surrogate in a list', { a: ['\udfff'] }, /not well-formed/],
    ['a name that is too long', { ['n'.repeat(limits.fieldName + 1)]: 1 }, /longer than 256/],
    ['nesting that is too deep', nested(limits.documentDepth + 1), /deeper than 64/],
    ['a number that is none', { a: Number.NaN }, /not finite/],
    ['an infinite number', { a: [Number.POSITIVE_INFINITY] }, /not finite/],
    ['undefined', { a: undefined }, /not JSON/],
    ['a hole in a list', { a: [undefined] }, /not JSON/],
    ['a function', { a: () => 1 }, /not JSON/],
    ['a big integer', { a: 1n }, /not JSON/],
    ['a date object', { a: new Date(0) }, /not JSON/],
    ['bytes', { a: Buffer.from('x') }, /not JSON/],
    ['a map', { a: new Map() }, /not JSON/],
  ])('names %s', (_, data, expected) => {
    expect(documentFault(data)).toMatch(expected);
  });

  it('cuts long names in what it says', () => {
    expect(documentFault({ [`$${'x'.repeat(200)}`]: 1 })!.length).toBeLessThan(80);
  });

  it('survives nesting that would exhaust the stack', () => {
    expect(documentFault(nested(100_000))).toMatch(/deeper/);
  });

  it('lets every JSON pass that has harmless names, and finds a fault wherever it is planted', () => {
    const name = fc
      .string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'b', '_', 'ß') })
      .filter((text) => !text.startsWith('_sync_') && text !== '__proto__');
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.integer(),
        fc.constant('text'),
        fc.constant(null),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    }));
    const document = fc.dictionary(name, json.value, { minKeys: 1, maxKeys: 4, noNullPrototype: true });
    fc.assert(
      fc.property(
        document,
        fc.nat(),
        fc.constantFrom<unknown>({ $gt: 1 }, '\ud800', { '': 1 }),
        (data, seed, fault) => {
          expect(documentFault(data)).toBeUndefined();
          expect(documentFault(planted(data, seed, fault) as Record<string, unknown>)).toBeDefined();
        },
      ),
    );
  });
});

/** The value with the fault at one place in it. */
function planted(value: unknown, seed: number, fault: unknown): unknown {
  if (Array.isArray(value) && value.length > 0) {
    const place = seed % value.length;
    return value.map((member, index) => (index === place ? planted(member, seed, fault) : member));
  }
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return fault;
  const keys = Object.keys(value);
  const chosen = keys[seed % keys.length]!;
  return { ...value, [chosen]: planted((value as Record<string, unknown>)[chosen], seed, fault) };
}

describe('fieldNameFault', () => {
  it('lets plain names pass', () => {
    for (const name of ['title', '_id', 'sync_version', 'a b', 'ä', '__proto', 'x'.repeat(256)])
      expect(fieldNameFault(name)).toBeUndefined();
  });

  it.each(['', 'a.b', '.', '$a', '_sync_', '_sync_x', '__proto__', 'a\u0000', '\udc00', 'x'.repeat(257)])(
    'refuses %j',
    (name) => {
      expect(fieldNameFault(name)).toEqual(expect.any(String));
    },
  );
});

describe('clientFields', () => {
  it('drops what the server owns', () => {
    expect(
      clientFields({ _id: 'x', sync_updated_at: 1, _updated_by: 'eve', sync_version: 3, title: null, done: false }),
    ).toEqual({
      title: null,
      done: false,
    });
  });

  it('makes an object of its own', () => {
    const data = Object.freeze({ title: 'x' });
    expect(clientFields(data)).not.toBe(data);
  });
});
