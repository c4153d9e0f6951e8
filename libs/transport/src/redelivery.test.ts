import { describe, expect, it } from '@jest/globals';
import { redeliveryDelay } from './redelivery.ts';

describe('redeliveryDelay', () => {
  const delays = { redeliveryDelayMs: 50, maxRedeliveryDelayMs: 5_000 };

  it('doubles up to the maximum', () => {
    expect([1, 2, 3, 4, 8, 9].map((failed) => redeliveryDelay(failed, delays))).toEqual([
      50, 100, 200, 400, 5_000, 5_000,
    ]);
  });

  it('stays at the maximum for ever', () => {
    expect(redeliveryDelay(2 ** 31, delays)).toBe(5_000);
  });
});
