import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type DocumentId, documentIdOf, documentKey, parseDocumentId } from './document-id.ts';
import * as limits from './limits.ts';

const oid = '507f1f77bcf86cd799439011';
const uuid = '0b52ad5c-9d0f-4d43-8f13-7a0fdc3b3a7e';

describe('parseDocumentId', () => {
  it.each<DocumentId>([
    'a',
    '0',
    ' ',
    'née',
    '👩‍👩‍👧',
    'a.b/c$d',
    '__proto__',
    oid,
    uuid,
    `{"$oid":"${oid}"}`,
    { $oid: oid },
    { $uuid: uuid },
  ])('takes %j as it is', (id) => {
    expect(parseDocumentId(id)).toEqual(id);
  });

  it('writes the digits of typed ids small', () => {
    expect(parseDocumentId({ $oid: oid.toUpperCase() })).toEqual({ $oid: oid });
    expect(parseDocumentId({ $uuid: uuid.toUpperCase() })).toEqual({ $uuid: uuid });
  });

  it('leaves a text alone that looks like a typed id', () => {
    expect(parseDocumentId(oid.toUpperCase())).toBe(oid.toUpperCase());
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a number', 7],
    ['a truth', true],
    ['a list', [oid]],
    ['an empty object', {}],
    ['an operator', { $gt: '' }],
    ['an operator beside a typed id', { $oid: oid, $gt: '' }],
    ['a typed id of no text', { $oid: { $gt: '' } }],
    ['an object id that is too short', { $oid: oid.slice(1) }],
    ['an object id with other digits', { $oid: `g${oid.slice(1)}` }],
    ['a UUID without dashes', { $uuid: uuid.replaceAll('-', '') }],
    ['another typed value', { $date: '2026-11-24T00:00:00Z' }],
    ['a number of BSON', { $numberLong: '7' }],
    ['an object with a plain key', { id: 'a' }],
    ['a text with NUL', 'a\u0000b'],
    ['a lone high surrogate', 'a\ud800'],
    ['a lone low surrogate', '\udc00a'],
    ['surrogates in the wrong order', '\udc00\ud800'],
  ])('refuses %s', (_, value) => {
    expect(parseDocumentId(value)).toBeUndefined();
  });

  it('counts bytes, not characters', () => {
    const max = limits.documentIdBytes;
    for (const [character, bytes] of [
      ['a', 1],
      ['é', 2],
      ['€', 3],
      ['😀', 4],
    ] as const) {
      const count = Math.floor(max / bytes);
      expect(parseDocumentId(character.repeat(count))).toBeDefined();
      expect(parseDocumentId(character.repeat(count + 1))).toBeUndefined();
    }
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (value) => {
        const id = parseDocumentId(value);
        if (id !== undefined) expect(parseDocumentId(id)).toEqual(id);
      }),
    );
  });
});

function ids(): fc.Arbitrary<DocumentId> {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
  const text = fc.oneof(
    fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }),
    hex(24),
    fc.uuid(),
    hex(24).map((digits) => `o${digits}`),
    fc.uuid().map((digits) => `u${digits}`),
  );
  return fc
    .oneof(
      text,
      hex(24).map(($oid) => ({ $oid })),
      fc.uuid().map(($uuid) => ({ $uuid })),
    )
    .filter((id) => parseDocumentId(id) !== undefined);
}

describe('documentKey', () => {
  it('comes back as the id', () => {
    fc.assert(fc.property(ids(), (id) => expect(documentIdOf(documentKey(id))).toEqual(id)));
  });

  it('is the same for equal ids and for no others', () => {
    fc.assert(
      fc.property(ids(), ids(), (a, b) => {
        expect(documentKey(a) === documentKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it('tells a typed id from every text that looks like it', () => {
    const keys = [oid, uuid, `o${oid}`, `u${uuid}`, { $oid: oid }, { $uuid: uuid }, `{"$oid":"${oid}"}`].map((id) =>
      documentKey(parseDocumentId(id)!),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});
