import { describe, expect, it } from '@jest/globals';
import { MemoryHistory } from '../testing/memory-history.ts';
import { TideBook } from './tide-book.ts';

function rig(now: () => number = () => 1_000) {
  const store = new MemoryHistory();
  return { store, book: new TideBook(store, now), other: new TideBook(store, now) };
}

describe('the tide book', () => {
  it('hands out a time that finds the token again', async () => {
    const { book } = rig();
    const time = await book.timeOf('a');
    expect(time).toBe(1_000);
    expect(await book.find(time)).toEqual({ time, token: 'a' });
    expect(await book.find(time + 500)).toEqual({ time, token: 'a' });
    expect(await book.find(time - 1)).toBeUndefined();
  });

  it('gives equal tokens in a row one time, and one row', async () => {
    const { book, store } = rig();
    expect([await book.timeOf('a'), await book.timeOf('a')]).toEqual([1_000, 1_000]);
    expect(store.calls.recordTide).toBe(1);
  });

  it('gives two tokens two times, also in one millisecond and from two gateways', async () => {
    const { book, other } = rig();
    const times = [await book.timeOf('a'), await other.timeOf('b'), await book.timeOf('c'), await other.timeOf('d')];
    expect(new Set(times).size).toBe(4);
    expect(await Promise.all(times.map((time) => book.find(time)))).toEqual(
      ['a', 'b', 'c', 'd'].map((token, index) => ({ time: times[index], token })),
    );
  });

  it('gives callers at once times of their own', async () => {
    const { book } = rig();
    const tokens = Array.from({ length: 50 }, (_, index) => `t${index}`);
    const times = await Promise.all(tokens.map((token) => book.timeOf(token)));
    for (const [index, time] of times.entries()) expect((await book.find(time))?.token).toBe(tokens[index]);
  });

  it('never goes back with the clock', async () => {
    let now = 5_000;
    const { book } = rig(() => now);
    const first = await book.timeOf('a');
    now = 1_000;
    expect(await book.timeOf('b')).toBeGreaterThan(first);
  });

  it('says that it is too much when no time is free', async () => {
    const { book, store } = rig();
    for (let time = 1_000; time < 1_200; time++) await store.recordTide(time, 'taken');
    await expect(book.timeOf('a')).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 });
  });
});
