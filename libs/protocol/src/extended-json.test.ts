import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isTypedValue } from './extended-json.ts';

const oid = '507f1f77bcf86cd799439011';

describe('isTypedValue', () => {
  it.each<[Record<string, unknown>]>([
    [{ $oid: oid }],
    [{ $oid: oid.toUpperCase() }],
    [{ $uuid: '0b52ad5c-9d0f-4d43-8f13-7a0fdc3b3a7e' }],
    [{ $date: 0 }],
    [{ $date: -1 }],
    [{ $date: '2026-11-24T10:00:00.000Z' }],
    [{ $date: { $numberLong: '-62135596800000' } }],
    [{ $date: '2026-11-24' }],
    [{ $date: '2026-11-24T10:00+01:00' }],
    [{ $date: '-000001-01-01T00:00:00.123Z' }],
    [{ $numberDecimal: '1.10' }],
    [{ $numberDecimal: '.5' }],
    [{ $numberDecimal: '-Infinity' }],
    [{ $numberDecimal: 'NaN' }],
    [{ $numberDecimal: '9'.repeat(34) }],
    [{ $numberDecimal: '9.999999999999999999999999999999999E6144' }],
    [{ $numberDecimal: '1E-6176' }],
    [{ $numberDecimal: `1${'0'.repeat(40)}` }],
    [{ $numberDecimal: '0E9999' }],
    [{ $numberLong: '9223372036854775807' }],
    [{ $numberLong: '-9223372036854775808' }],
    [{ $numberInt: '2147483647' }],
    [{ $numberInt: '-2147483648' }],
    [{ $numberDouble: '1e308' }],
    [{ $numberDouble: '-0' }],
    [{ $numberDouble: 'Infinity' }],
    [{ $binary: { base64: 'AAEC', subType: '00' } }],
    [{ $binary: { base64: '', subType: '4' } }],
  ])('takes %j', (value) => {
    expect(isTypedValue(value)).toBe(true);
  });

  it.each<[Record<string, unknown>]>([
    [{}],
    [{ a: 1 }],
    [{ $oid: oid, a: 1 }],
    [{ a: 1, $oid: oid }],
    [{ $oid: 7 }],
    [{ $oid: `${oid}0` }],
    [{ $oid: [oid] }],
    [{ $uuid: 'not one' }],
    [{ $date: 'yesterday' }],
    [{ $date: 1.5 }],
    [{ $date: 'Nov 24 2026' }],
    [{ $date: '2026-11-24 10:00' }],
    [{ $date: '2026-11-24T10:00:00' }],
    [{ $date: '2026-13-01' }],
    [{ $date: {} }],
    [{ $date: Number.NaN }],
    [{ $date: { $numberLong: '9223372036854775808' } }],
    [{ $date: { $numberLong: '1', more: 1 } }],
    [{ $date: null }],
    [{ $numberDecimal: '' }],
    [{ $numberDecimal: '.' }],
    [{ $numberDecimal: 'e5' }],
    [{ $numberDecimal: '1,5' }],
    [{ $numberDecimal: 1.5 }],
    [{ $numberDecimal: '9'.repeat(35) }],
    [{ $numberDecimal: '1E6145' }],
    [{ $numberDecimal: '10E6144' }],
    [{ $numberDecimal: '1E-6177' }],
    [{ $numberLong: '9223372036854775808' }],
    [{ $numberLong: '1.5' }],
    [{ $numberLong: '' }],
    [{ $numberInt: '2147483648' }],
    [{ $numberInt: '-2147483649' }],
    [{ $numberDouble: 'one' }],
    [{ $numberDouble: '.' }],
    [{ $binary: 'AAEC' }],
    [{ $binary: { base64: '***', subType: '00' } }],
    [{ $binary: { base64: 'A', subType: '00' } }],
    [{ $binary: { base64: 'AAEC' } }],
    [{ $binary: { base64: 'AAEC', subType: '00', more: 1 } }],
    [{ $where: '1' }],
    [{ $regularExpression: { pattern: 'a', options: '' } }],
    [{ $code: 'f()' }],
    [{ $minKey: 1 }],
    [{ toString: oid }],
    [{ constructor: oid }],
  ])('refuses %j', (value) => {
    expect(isTypedValue(value)).toBe(false);
  });

  it('takes every integer of its size as text, and no larger one', () => {
    fc.assert(
      fc.property(fc.bigInt(), (value) => {
        expect(isTypedValue({ $numberLong: String(value) })).toBe(BigInt.asIntN(64, value) === value);
        expect(isTypedValue({ $numberInt: String(value) })).toBe(BigInt.asIntN(32, value) === value);
      }),
    );
  });

  it('takes every finite number as a double', () => {
    fc.assert(fc.property(fc.double({ noNaN: true }), (value) => isTypedValue({ $numberDouble: String(value) })));
  });
});
