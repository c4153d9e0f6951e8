import { describe, expect, it } from '@jest/globals';
import type { Json } from '@tidemark/protocol';
import fc from 'fast-check';
import { exceedsBytes } from './document-size.ts';

describe('exceedsBytes', () => {
  it('agrees with the serialised size for any JSON and limit', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(200), (value, limit) => {
        expect(exceedsBytes(value as Json, limit)).toBe(Buffer.byteLength(JSON.stringify(value)) > limit);
      }),
      { numRuns: 1_000 },
    );
  });

  it('agrees exactly at the limit', () => {
    const value = { text: 'é'.repeat(10), list: [1, null, true, 'a"b\u0000'] };
    const size = Buffer.byteLength(JSON.stringify(value));
    expect(exceedsBytes(value, size)).toBe(false);
    expect(exceedsBytes(value, size - 1)).toBe(true);
  });
});
