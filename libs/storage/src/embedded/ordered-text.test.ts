import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeNumber, decodeOrdered, encodeNumber, encodeOrdered } from './ordered-text.ts';

/** Any UTF-16 units, lone surrogates among them. */
const anyText = fc.array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff })), {
  maxLength: 12,
});
const text = anyText.map((units) => String.fromCharCode(...units));

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const byteOrder = (a: string, b: string) =>
  Math.sign(Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')));

describe('ordered text', () => {
  it('is read back as it was', () => {
    fc.assert(fc.property(text, (value) => expect(decodeOrdered(encodeOrdered(value))).toBe(value)));
  });

  it('consists of bytes', () => {
    fc.assert(fc.property(text, (value) => expect(encodeOrdered(value)).toMatch(/^[\0-\xef]*$/)));
  });

  it('sorts as bytes in the order of the text by code unit', () => {
    fc.assert(
      fc.property(text, text, (a, b) => expect(byteOrder(encodeOrdered(a), encodeOrdered(b))).toBe(order(a, b))),
    );
  });

  it('leaves ASCII alone', () => {
    expect(encodeOrdered('plain \u0001 text')).toBe('plain \u0001 text');
  });

  it('sorts what lies beyond U+FFFF before U+E000, which UTF-8 does not', () => {
    expect(encodeOrdered('\u{1f600}') < encodeOrdered('\ue000')).toBe(true);
    expect(Buffer.compare(Buffer.from('\u{1f600}'), Buffer.from('\ue000'))).toBe(1);
  });
});

describe('numbers', () => {
  const numbers = fc.maxSafeNat();

  it('are read back as they were', () => {
    fc.assert(fc.property(numbers, (value) => expect(decodeNumber(`ab${encodeNumber(value, 7)}c`, 2, 9)).toBe(value)));
  });

  it('sort as numbers', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) =>
        expect(byteOrder(encodeNumber(a, 7), encodeNumber(b, 7))).toBe(Math.sign(a - b)),
      ),
    );
  });
});
