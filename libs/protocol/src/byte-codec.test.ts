import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, MalformedBytes, maxVarintBytes, writeVarint } from './byte-codec.ts';

function written(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * maxVarintBytes);
  return bytes.subarray(
    0,
    values.reduce((offset, value) => writeVarint(bytes, offset, value), 0),
  );
}

describe('varints', () => {
  it('come back, one behind the other', () => {
    const numbers = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.integer({ min: 2 ** 31 - 2, max: 2 ** 31 + 2 }));
    fc.assert(
      fc.property(fc.array(numbers), (values) => {
        const reader = new ByteReader(written(...values));
        expect(values.map(() => reader.varint())).toEqual(values);
        reader.end();
      }),
    );
  });

  it.each([
    [0, 1],
    [127, 1],
    [128, 2],
    [16_383, 2],
    [16_384, 3],
    [2 ** 31, 5],
    [2 ** 32, 5],
    [Number.MAX_SAFE_INTEGER, maxVarintBytes],
  ])('%d takes %d bytes', (value, length) => {
    expect(written(value)).toHaveLength(length);
    expect(new ByteReader(written(value)).varint()).toBe(value);
  });

  it('above the maximum are malformed', () => {
    expect(new ByteReader(written(9)).varint(9)).toBe(9);
    expect(() => new ByteReader(written(10)).varint(9)).toThrow(MalformedBytes);
  });
});

describe('a reader', () => {
  it('says so when the bytes end early, and when some are left', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3));
    expect([...reader.take(2)]).toEqual([1, 2]);
    expect(() => reader.end()).toThrow(MalformedBytes);
    expect(() => reader.take(2)).toThrow(MalformedBytes);
    expect(reader.byte()).toBe(3);
    reader.end();
    expect(() => reader.byte()).toThrow(MalformedBytes);
  });
});
