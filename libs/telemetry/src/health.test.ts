import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHealth, type Health, Misconfigured } from './index.ts';

const fine = async () => {};
const broken = () => Promise.reject(new Error('down'));
const hanging = () => new Promise<void>(() => {});

describe('readiness', () => {
  let time: number;
  let health: Health;
  beforeEach(() => {
    jest.useFakeTimers();
    time = 0;
    health = createHealth({ version: '1.2.3', now: () => time });
  });
  afterEach(() => {
    // A check must not leave its timer behind.
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('is given with nothing to check, and tells the version', async () => {
    expect(await health.ready()).toEqual({ ready: true, failing: [] });
    expect(health.version).toBe('1.2.3');
  });

  it('names the parts that fail, sorted, however they fail', async () => {
    health.register('store', broken);
    health.register('queue', fine);
    health.register('bus', () => {
      throw new Error('thrown before a promise');
    });
    expect(await health.ready()).toEqual({ ready: false, failing: ['bus', 'store'] });
  });

  it('says in words what an operator has to set, and of other failures nothing but the name', async () => {
    health.register('store', broken);
    health.register('redis_settings', () => Promise.reject(new Misconfigured('set it to noeviction')));
    expect(await health.ready()).toEqual({
      ready: false,
      failing: ['redis_settings', 'store'],
      misconfigured: ['set it to noeviction'],
    });
    health.register('redis_settings', fine);
    expect(await health.ready()).toEqual({ ready: false, failing: ['store'] });
  });

  it('does not wait for a part that hangs, nor add up the waits, and tells the part to give up', async () => {
    const signals: AbortSignal[] = [];
    for (const part of ['store', 'bus']) {
      health.register(part, (signal) => {
        signals.push(signal);
        return hanging();
      });
    }
    health.register('queue', fine);
    const answer = health.ready();
    await jest.advanceTimersByTimeAsync(999);
    expect(signals.map((signal) => signal.aborted)).toEqual([false, false]);
    await jest.advanceTimersByTimeAsync(1);
    expect(await answer).toEqual({ ready: false, failing: ['bus', 'store'] });
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
  });

  it('follows an outage and back within the time of the cache', async () => {
    let up = true;
    health.register('store', () => (up ? fine() : broken()));
    const readyAt = async (ms: number) => {
      time = ms;
      return (await health.ready()).ready;
    };
    expect(await readyAt(0)).toBe(true);
    up = false;
    expect([await readyAt(999), await readyAt(1_000)]).toEqual([true, false]);
    up = true;
    expect([await readyAt(1_999), await readyAt(2_000)]).toEqual([false, true]);
  });

  it('checks once for any number of probes', async () => {
    const check = jest.fn(fine);
    health.register('store', check);
    await Promise.all(Array.from({ length: 100 }, () => health.ready()));
    expect(check).toHaveBeenCalledTimes(1);
    time = 1_000;
    await health.ready();
    expect(check).toHaveBeenCalledTimes(2);
  });

  it('asks anew when a part is registered or replaced', async () => {
    expect((await health.ready()).ready).toBe(true);
    health.register('store', broken);
    expect((await health.ready()).failing).toEqual(['store']);
    health.register('store', fine);
    expect((await health.ready()).ready).toBe(true);
  });

  it('ends at once with draining, for good', async () => {
    health.register('store', broken);
    expect((await health.ready()).failing).toEqual(['store']);
    expect(health.draining).toBe(false);
    health.startDraining();
    health.startDraining();
    expect(health.draining).toBe(true);
    expect(await health.ready()).toEqual({ ready: false, failing: ['draining', 'store'] });
  });
});
