import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs, defaultBackoff, spreadMs } from './backoff.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  it('lies between half and all of a limit that doubles up to the maximum', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), random, (failures, dice) => {
        const longest = Math.min(30_000, 500 * 2 ** (failures - 1));
        const ms = backoffMs(failures, dice, defaultBackoff);
        expect(ms).toBeGreaterThanOrEqual(longest / 2);
        expect(ms).toBeLessThanOrEqual(longest);
      }),
    );
  });

  it('spreads clients', () => {
    expect(backoffMs(3, 0, defaultBackoff)).toBe(1_000);
    expect(backoffMs(3, 0.5, defaultBackoff)).toBe(1_500);
  });
});

describe('spreadMs', () => {
  it('is never early, and at most a quarter late', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e6 }), random, (ms, dice) => {
        expect(spreadMs(ms, dice)).toBeGreaterThanOrEqual(ms);
        expect(spreadMs(ms, dice)).toBeLessThanOrEqual(Math.ceil(ms * 1.25));
      }),
    );
  });
});
