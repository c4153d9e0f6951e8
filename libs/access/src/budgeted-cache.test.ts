import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createBudgetedCache } from './budgeted-cache.ts';

describe('budgeted cache', () => {
  it('forgets what was used longest ago', () => {
    const cache = createBudgetedCache<number>(30, 9);
    for (const key of ['a', 'b', 'c']) cache.set(key, 1);
    cache.get('a');
    cache.set('d', 1);
    expect(['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined)).toEqual(['a', 'c', 'd']);
  });

  it('a long key costs more places, one that is too long is not kept', () => {
    const cache = createBudgetedCache<number>(30, 9);
    for (const key of ['a', 'b', 'c']) cache.set(key, 1);
    cache.set('x'.repeat(11), 1);
    expect(cache.size).toBe(2);
    expect(cache.set('x'.repeat(22), 7)).toBe(7);
    expect(cache.size).toBe(2);
  });

  it('never exceeds its budget and never answers wrongly', () => {
    const step = fc.record({ key: fc.string({ maxLength: 12 }), isSet: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const cache = createBudgetedCache<number>(60, 5);
        const truth = new Map<string, number>();
        const kept = () => [...truth.keys()].filter((key) => cache.get(key) !== undefined);
        steps.forEach(({ key, isSet }, n) => {
          if (isSet) {
            cache.set(key, n);
            truth.set(key, n);
            expect(cache.get(key)).toBe(n);
          } else if (cache.get(key) !== undefined) expect(cache.get(key)).toBe(truth.get(key));
        });
        expect(kept().reduce((sum, key) => sum + key.length + 5, 0)).toBeLessThanOrEqual(60);
        expect(kept()).toHaveLength(cache.size);
      }),
    );
  });
});
