import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createConnectionCounter, type Release } from './connection-counter.ts';

describe('connection counter', () => {
  it('gives max places to a key and a freed one again', () => {
    const counter = createConnectionCounter({ max: 2 });
    const first = counter.acquire('ann');
    expect(counter.acquire('ann')).toBeDefined();
    expect(counter.acquire('ann')).toBeUndefined();
    expect(counter.acquire('bob')).toBeDefined();
    first?.();
    expect(counter.acquire('ann')).toBeDefined();
    expect(counter.acquire('ann')).toBeUndefined();
  });

  it('takes a place back once, however often it is released', () => {
    const counter = createConnectionCounter({ max: 2 });
    const first = counter.acquire('ann');
    counter.acquire('ann');
    first?.();
    first?.();
    expect(counter.count('ann')).toBe(1);
  });

  it('forgets keys that hold nothing', () => {
    const counter = createConnectionCounter({ max: 1 });
    const releases = Array.from({ length: 100 }, (_, n) => counter.acquire(`k${n}`));
    expect(counter.size).toBe(100);
    for (const release of releases) release?.();
    expect(counter.size).toBe(0);
  });

  it('counts like a list of who is connected', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', '__proto__'), open: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const counter = createConnectionCounter({ max: 3 });
        const held: { key: string; release: Release }[] = [];
        for (const { key, open } of steps) {
          const mine = held.filter((one) => one.key === key).length;
          expect(counter.count(key)).toBe(mine);
          if (open) {
            const release = counter.acquire(key);
            expect(release !== undefined).toBe(mine < 3);
            if (release) held.push({ key, release });
          } else {
            held.shift()?.release();
          }
        }
      }),
    );
  });

  it('refuses a max that lets nobody in', () => {
    expect(() => createConnectionCounter({ max: 0 })).toThrow(RangeError);
  });
});
