import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HybridClock } from './hybrid-clock.ts';

describe('HybridClock', () => {
  it('shows the time of the machine when nothing speaks against it', () => {
    const clock = new HybridClock(() => 1_000.7);
    expect(clock.next()).toBe(1_000);
  });

  it('is later than everything it gave or saw, whatever the machine says', () => {
    const step = fc.oneof(
      fc.record({ jump: fc.integer({ min: -1e9, max: 1e9 }) }),
      fc.record({ seen: fc.integer({ min: 0, max: 2e12 }) }),
      fc.constant({ next: true }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let now = 1_700_000_000_000;
        const clock = new HybridClock(() => now);
        let latest = 0;
        for (const action of steps) {
          if ('jump' in action) now += action.jump;
          else if ('seen' in action) {
            clock.observe(action.seen);
            latest = Math.max(latest, action.seen);
          } else {
            const given = clock.next();
            expect(given).toBeGreaterThan(latest);
            expect(Number.isInteger(given)).toBe(true);
            latest = given;
          }
          expect(clock.last).toBeGreaterThanOrEqual(latest);
        }
      }),
    );
  });

  it('follows the clock of the server when its own is wrong, but not over the time that a message takes', () => {
    const clock = new HybridClock(() => 5_000);
    clock.alignWith(5_900);
    expect(clock.next()).toBe(5_000);
    clock.alignWith(60_000);
    expect(clock.next()).toBe(60_000);
    clock.alignWith(5_100);
    expect(clock.next()).toBe(60_001);
  });

  it('takes no notice of a version without a timestamp', () => {
    const clock = new HybridClock(() => 10);
    clock.observe(undefined);
    expect(clock.last).toBe(0);
  });
});
