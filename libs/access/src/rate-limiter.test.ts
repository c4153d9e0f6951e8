import { describe, expect, it } from '@jest/globals';
import { brandAs, type UserId } from '@tidemark/protocol';
import fc from 'fast-check';
import { createRateLimiter } from './rate-limiter.ts';

const user = (name: string) => brandAs<UserId>(name);
const ann = user('ann');

function setUp(max = 50, windowMs = 10_000, maxUsers?: number) {
  const clock = { time: 0 };
  const options = { max, windowMs, now: () => clock.time, ...(maxUsers === undefined ? {} : { maxUsers }) };
  return { clock, limiter: createRateLimiter(options) };
}

describe('changes one by one', () => {
  it('are admitted up to max at once, then one per refill', () => {
    const { clock, limiter } = setUp();
    for (let n = 0; n < 50; n++) expect(limiter.admit(ann, 1)).toEqual({ admitted: true });
    expect(limiter.admit(ann, 1)).toEqual({ admitted: false, retryAfterMs: 200 });
    clock.time += 199;
    expect(limiter.admit(ann, 1)).toEqual({ admitted: false, retryAfterMs: 1 });
    clock.time += 1;
    expect(limiter.admit(ann, 1)).toEqual({ admitted: true });
    expect(limiter.admit(ann, 1)).toEqual({ admitted: false, retryAfterMs: 200 });
  });

  it('are counted per user', () => {
    const { limiter } = setUp(1);
    expect(limiter.admit(ann, 1).admitted).toBe(true);
    expect(limiter.admit(ann, 1).admitted).toBe(false);
    expect(limiter.admit(user('bob'), 1).admitted).toBe(true);
  });

  it('a bucket holds no more than max however long nobody came', () => {
    const { clock, limiter } = setUp(3, 1000);
    limiter.admit(ann, 1);
    clock.time += 1e9;
    const results = [1, 2, 3, 4].map(() => limiter.admit(ann, 1).admitted);
    expect(results).toEqual([true, true, true, false]);
  });
});

describe('a batch', () => {
  it('takes the bucket into debt once and is paid off by waiting', () => {
    const { clock, limiter } = setUp(50, 10_000);
    expect(limiter.admit(ann, 100).admitted).toBe(true);
    expect(limiter.admit(ann, 1)).toEqual({ admitted: false, retryAfterMs: 10_200 });
    clock.time += 10_200;
    expect(limiter.admit(ann, 100).admitted).toBe(true);
    expect(limiter.admit(ann, 100).admitted).toBe(false);
  });

  it('that is refused takes nothing', () => {
    const { limiter } = setUp(10, 1000);
    limiter.admit(ann, 10);
    const first = limiter.admit(ann, 1000);
    expect(limiter.admit(ann, 1000)).toEqual(first);
  });
});

describe('over time', () => {
  const step = fc.record({
    wait: fc.double({ min: 0, max: 5000, noNaN: true }),
    count: fc.integer({ min: 1, max: 200 }),
  });
  const settings = fc.record({ max: fc.integer({ min: 1, max: 500 }), windowMs: fc.integer({ min: 1, max: 60_000 }) });

  it('who waits as told is admitted, whatever was sent before', () => {
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 30 }), ({ max, windowMs }, steps) => {
        const { clock, limiter } = setUp(max, windowMs);
        for (const { wait, count } of steps) {
          clock.time += wait;
          const first = limiter.admit(ann, count);
          if (first.admitted) continue;
          clock.time += first.retryAfterMs;
          expect(limiter.admit(ann, count)).toEqual({ admitted: true });
        }
      }),
    );
  });

  it('no one gets more than the bucket, the refill and one batch of debt', () => {
    fc.assert(
      fc.property(settings, fc.array(step, { minLength: 1, maxLength: 60 }), ({ max, windowMs }, steps) => {
        const { clock, limiter } = setUp(max, windowMs);
        let sent = 0;
        for (const { wait, count } of steps) {
          clock.time += wait;
          if (limiter.admit(ann, count).admitted) sent += count;
        }
        const largest = Math.max(...steps.map((one) => one.count));
        expect(sent).toBeLessThanOrEqual(max + (clock.time * max) / windowMs + largest + 1e-3);
      }),
    );
  });
});

describe('memory', () => {
  it('full buckets are forgotten while others come', () => {
    const { clock, limiter } = setUp(10, 1000);
    for (let n = 0; n < 1000; n++) limiter.admit(user(`u${n}`), 1);
    expect(limiter.size).toBeGreaterThan(500);
    for (let n = 0; n < 1000; n++) {
      clock.time += 100;
      limiter.admit(ann, 1);
    }
    expect(limiter.size).toBe(1);
  });

  it('a debt is remembered while others come', () => {
    const { clock, limiter } = setUp(10, 1000);
    limiter.admit(ann, 1000);
    for (let n = 0; n < 5000; n++) {
      clock.time += 1;
      limiter.admit(user(`u${n}`), 1);
    }
    expect(limiter.admit(ann, 1).admitted).toBe(false);
  });

  it('never holds more users than it may', () => {
    const { limiter } = setUp(10, 1000, 100);
    for (let n = 0; n < 1000; n++) {
      limiter.admit(user(`u${n % 300}`), 5);
      expect(limiter.size).toBeLessThanOrEqual(100);
    }
    expect(limiter.size).toBe(100);
  });
});

it.each([
  [0, 1000],
  [Number.NaN, 1000],
  [Number.POSITIVE_INFINITY, 1000],
  [10, 0],
  [10, -1],
  [10, Number.NaN],
])('settings that make no sense are refused: %d in %d ms', (max, windowMs) => {
  expect(() => createRateLimiter({ max, windowMs })).toThrow(RangeError);
});
