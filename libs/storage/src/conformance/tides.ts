import { expect, it } from '@jest/globals';
import type { StoreContext } from './store-rig.ts';

export function tideCases(context: StoreContext): void {
  it('finds the row of the latest time at or before', async () => {
    const store = await context.open();
    expect(await store.findTide(1_000)).toBeUndefined();
    for (const time of [300, 65_536, 256, 1_700_000_000_000])
      expect(await store.recordTide(time, `at ${time}`)).toBe(true);
    expect(await store.findTide(255)).toBeUndefined();
    expect(await store.findTide(256)).toEqual({ time: 256, token: 'at 256' });
    expect(await store.findTide(299)).toEqual({ time: 256, token: 'at 256' });
    expect(await store.findTide(65_535)).toEqual({ time: 300, token: 'at 300' });
    expect(await store.findTide(1_699_999_999_999)).toEqual({ time: 65_536, token: 'at 65536' });
    expect(await store.findTide(2_000_000_000_000)).toMatchObject({ time: 1_700_000_000_000 });
  });

  it('keeps the first row of a time', async () => {
    const store = await context.open();
    const answers = await Promise.all(['first', 'second', 'third'].map((token) => store.recordTide(100, token)));
    expect(answers.filter((answer) => answer)).toHaveLength(1);
    const { token } = (await store.findTide(100))!;
    expect(token).toBe(['first', 'second', 'third'][answers.indexOf(true)]);
    expect(await store.recordTide(100, 'later')).toBe(false);
    expect(await store.findTide(100)).toEqual({ time: 100, token });
  });

  it('keeps rows over a restart and trims the old ones', async () => {
    let store = await context.open();
    for (const time of [100, 200, 900]) await store.recordTide(time, `at ${time}`);
    store = await context.reopen(store);
    expect(await store.findTide(250)).toEqual({ time: 200, token: 'at 200' });
    await store.trim({ before: 500, limit: 100 });
    expect(await store.findTide(150)).toBeUndefined();
    expect(await store.findTide(1_000)).toEqual({ time: 900, token: 'at 900' });
  });
}
