import { describe, expect, it } from '@jest/globals';
import type { Json } from '@tidemark/protocol';
import fc from 'fast-check';
import {
  Binary,
  BSON,
  BSONRegExp,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { StoreError } from '../store-error.ts';
import { fromBson, toBson } from './bson-values.ts';

/** Through the bytes that MongoDB stores. */
function stored(value: unknown): unknown {
  return BSON.deserialize(BSON.serialize({ value }), { bsonRegExp: true }).value;
}

const roundTrip = (value: Json) => fromBson(stored(toBson(value)));

const hex = '5f1d3a2b4c5d6e7f80912345';
const uuid = '6f9619ff-8b86-4011-b42d-00cf4fc964ff';

const typed: readonly Json[] = [
  { $oid: hex },
  { $uuid: uuid },
  { $date: '2026-11-24T10:00:00.123Z' },
  { $date: '0001-01-01T00:00:00.000Z' },
  { $date: { $numberLong: '-99999999999999' } },
  { $date: { $numberLong: '8640000000000000' } },
  { $numberDecimal: '12.50' },
  { $numberDecimal: 'NaN' },
  { $numberLong: '9007199254740993' },
  { $numberLong: '-9223372036854775808' },
  { $numberDouble: 'NaN' },
  { $numberDouble: '-Infinity' },
  { $binary: { base64: 'AQIDBA==', subType: '00' } },
  { $binary: { base64: '', subType: '80' } },
];

describe('values in BSON', () => {
  it.each(typed)('come back as they were: %j', (value) => {
    expect(roundTrip(value)).toEqual(value);
    expect(roundTrip([value, { deep: [value] }])).toEqual([value, { deep: [value] }]);
  });

  it('come back equal, whatever JSON they are', () => {
    const keys = fc
      .oneof(fc.constantFrom('a', 'b', 'toString', 'length'), fc.string({ unit: 'binary', minLength: 1 }))
      .filter(isFieldName);
    const { value: json } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<Json>(null, true, false, ...typed),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.maxSafeInteger(),
        fc.string({ unit: 'binary' }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(json, (value) => {
        expect(roundTrip(value)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('of other forms come back in one form', () => {
    expect(roundTrip({ $numberInt: '5' })).toBe(5);
    expect(roundTrip({ $numberInt: '-2147483648' })).toBe(-2_147_483_648);
    expect(roundTrip({ $numberLong: '5' })).toBe(5);
    expect(roundTrip({ $numberDouble: '1.5' })).toBe(1.5);
    expect(roundTrip({ $date: 0 })).toEqual({ $date: '1970-01-01T00:00:00.000Z' });
    expect(roundTrip({ $oid: hex.toUpperCase() })).toEqual({ $oid: hex });
    expect(roundTrip({ $binary: { base64: 'b5YZ/4uGQBG0LQDPT8lk/w==', subType: '04' } })).toEqual({ $uuid: uuid });
  });

  it('have the types that other programs expect', () => {
    expect(toBson({ $oid: hex })).toBeInstanceOf(ObjectId);
    expect(toBson({ $uuid: uuid })).toBeInstanceOf(UUID);
    expect(toBson({ $date: '2026-11-24T10:00:00Z' })).toEqual(new Date('2026-11-24T10:00:00Z'));
    expect(toBson({ $numberDecimal: '1.10' })).toEqual(Decimal128.fromString('1.10'));
    expect(toBson({ $numberLong: '5' })).toEqual(Long.fromNumber(5));
    expect(toBson({ $numberInt: '5' })).toEqual(new Int32(5));
    expect(toBson({ $numberDouble: '5' })).toEqual(new Double(5));
    expect(toBson({ $binary: { base64: 'AQ==', subType: '05' } })).toEqual(new Binary(Buffer.from([1]), 5));
  });

  it('stay strings when they only look like something', () => {
    for (const text of [hex, uuid, '2026-11-24T10:00:00.000Z', `{"$oid":"${hex}"}`, '12', 'NaN'])
      expect(roundTrip(text)).toBe(text);
  });

  it('that need no conversion are not copied', () => {
    const value = { a: [1, 'x', { b: null }] };
    expect(toBson(value)).toBe(value);
    expect(fromBson(value)).toBe(value);
  });

  it('that hold a typed value are copied, not changed', () => {
    const value = Object.freeze({ a: Object.freeze([1, Object.freeze({ $oid: hex })]), b: 1 });
    expect(toBson(value)).toEqual({ a: [1, new ObjectId(hex)], b: 1 });
    expect(value.a[1]).toEqual({ $oid: hex });
  });

  it.each<[string, Json]>([
    ['a date beyond the calendar', { $date: { $numberLong: '8640000000000001' } }],
    ['a field that the driver would take for its own', { _bsontype: 'ObjectId', id: 'x' }],
  ])('refuse %s', (_, value) => {
    const error = catchError(() => toBson([value]));
    expect(StoreError.is(error, 'invalid')).toBe(true);
  });
});

describe("values of a user's own documents", () => {
  it.each<[string, unknown, Json]>([
    ['a timestamp', new Timestamp({ t: 5, i: 6 }), { $timestamp: { t: 5, i: 6 } }],
    ['a regular expression', new BSONRegExp('^a', 'i'), { $regularExpression: { pattern: '^a', options: 'i' } }],
    ['the least key', new MinKey(), { $minKey: 1 }],
    ['the greatest key', new MaxKey(), { $maxKey: 1 }],
    ['code', new Code('x'), { $code: 'x' }],
    ['a reference', new DBRef('notes', new ObjectId(hex)), { $ref: 'notes', $id: { $oid: hex } }],
    ['an object that looks like a typed value', { $oid: 'none' }, { $oid: 'none' }],
    ['an object with a field of the driver', Object.fromEntries([['_bson', 1]]), { _bson: 1 }],
  ])('can be read: %s', (_, value, json) => {
    expect(fromBson(stored(value))).toEqual(json);
  });

  it('may be called as JavaScript would not have it', () => {
    const document = BSON.deserialize(BSON.serialize(new Map([['__proto__', new ObjectId(hex)]]) as never));
    expect(Object.entries(fromBson(document) as object)).toEqual([['__proto__', { $oid: hex }]]);
    expect({}.constructor).toBe(Object);
  });
});

function isFieldName(name: string): boolean {
  return !name.startsWith('$') && !name.includes('\u0000') && name !== '__proto__' && name !== '_bsontype';
}

function catchError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
