import { describe, expect, it } from '@jest/globals';
import { checkValue } from './check-value.ts';
import type { Json } from './json.ts';

function normal(value: unknown): Json {
  const checked = checkValue(value);
  if (!checked.ok) throw new Error(checked.reason);
  return checked.value;
}

describe('checkValue', () => {
  it.each<[unknown, Json]>([
    [null, null],
    [-0, 0],
    [{ $numberInt: '-5' }, -5],
    [{ $numberLong: '5' }, 5],
    [{ $numberLong: '9007199254740993' }, { $numberLong: '9007199254740993' }],
    [{ $numberDecimal: '9007199254740993' }, { $numberLong: '9007199254740993' }],
    [{ $numberDecimal: '1.10' }, { $numberDecimal: '11E-1' }],
    [{ $numberDouble: '-0.0' }, 0],
    [{ $numberDouble: 'NaN' }, { $numberDouble: 'NaN' }],
    [{ $date: '2026-11-24' }, { $date: '2026-11-24T00:00:00.000Z' }],
    [{ $date: { $numberLong: '0' } }, { $date: '1970-01-01T00:00:00.000Z' }],
    [{ $binary: { base64: 'AQI', subType: '0' } }, { $binary: { base64: 'AQI=', subType: '00' } }],
    [
      { $binary: { base64: 'OyQRAeK7QlWMr0E2xWapYg==', subType: '04' } },
      { $uuid: '3b241101-e2bb-4255-8caf-4136c566a962' },
    ],
    [
      [1, { $numberInt: '2' }],
      [1, 2],
    ],
    [{ x: [{ $numberInt: '2' }, [3]] }, { x: [2, [3]] }],
    [{}, {}],
  ])('brings %j to the form %j', (value, expected) => {
    expect(normal(value)).toEqual(expected);
  });

  it('takes objects without a prototype', () => {
    expect(normal(Object.assign(Object.create(null), { x: 1 }))).toEqual({ x: 1 });
  });

  it.each([
    [{ $numberDouble: '' }],
    [{ $numberDouble: ' 1' }],
    [{ $numberDouble: 'one' }],
    [{ $numberInt: 5 }],
    [{ $numberLong: '1.5' }],
    [{ $date: '2026-02-31T00:00:00' }],
    [{ $date: {} }],
    [{ $date: { $numberLong: '8640000000000001' } }],
    [{ $date: '2026-11-24 10:00' }],
    [{ $oid: '5f0f1b1b1b1b1b1b1b1b1b' }],
    [{ $oid: ['5f0f1b1b1b1b1b1b1b1b1b1b'] }],
    [{ $uuid: 'x' }],
    [{ $binary: 'AQI=' }],
    [{ $binary: { base64: 'A', subType: '00' } }],
    [{ $binary: { base64: '!!!!', subType: '00' } }],
    [{ $binary: { base64: 'AQI=', subType: 'xyz' } }],
    [{ $regex: 'x' }],
    [{ x: { $date: 'x' } }],
    [[{ $oid: 'x' }]],
    [new Map()],
    [{ x: undefined }],
  ])('refuses %j', (value) => {
    expect(checkValue(value).ok).toBe(false);
  });
});
