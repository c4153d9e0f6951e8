import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { preferredOrder, shareOf } from './shares.ts';

const holders = fc
  .uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 12 })
  .map((names) => names.sort());
const lanes = fc.integer({ min: 0, max: 64 });

describe('shares', () => {
  it('add up to all lanes and differ by one at most', () => {
    fc.assert(
      fc.property(lanes, holders, (count, names) => {
        const shares = names.map((name) => shareOf(count, names, name));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(count);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are nothing for who is not announced', () => {
    expect(shareOf(8, ['a', 'b'], 'c')).toBe(0);
    expect(shareOf(8, [], 'c')).toBe(0);
  });
});

describe('preferredOrder', () => {
  it('has every lane once, and no two holders begin at the same while there are enough', () => {
    fc.assert(
      fc.property(lanes, holders, (count, names) => {
        const all = Array.from({ length: count }, (_, lane) => lane);
        const orders = names.map((name) => preferredOrder(all, names, name));
        for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(all);
        if (count >= names.length) expect(new Set(orders.map(([first]) => first)).size).toBe(names.length);
      }),
    );
  });

  it('is as given for who is not announced', () => {
    expect(preferredOrder([0, 1, 2], [], 'a')).toEqual([0, 1, 2]);
  });
});
