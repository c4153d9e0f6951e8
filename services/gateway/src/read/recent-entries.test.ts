import { describe, expect, it } from '@jest/globals';
import { brandAs, type Entry, type JsonObject, type Seq } from '@tidemark/protocol';
import fc from 'fast-check';
import { MemoryHistory } from '../testing/memory-history.ts';
import { approximateBytes, RecentEntries } from './recent-entries.ts';

const seq = (value: number) => brandAs<Seq>(value);

function entries(count: number, data: JsonObject = { title: 'x' }): Entry[] {
  const history = new MemoryHistory();
  return Array.from({ length: count }, () => history.commit({ operation: 'insert', id: 'd1', data })!);
}

function filled(list: readonly Entry[], maxBytes = 1e9): RecentEntries {
  const recent = new RecentEntries(maxBytes);
  for (const entry of list) recent.push(entry);
  return recent;
}

const seqsAfter = (recent: RecentEntries, after: number, limit = 1_000) =>
  recent.after(seq(after), limit)?.map((entry) => Number(entry.seq));

describe('recent entries', () => {
  it('follow a seq, as many as asked for', () => {
    const recent = filled(entries(5));
    expect(seqsAfter(recent, 0)).toEqual([1, 2, 3, 4, 5]);
    expect(seqsAfter(recent, 2)).toEqual([3, 4, 5]);
    expect(seqsAfter(recent, 2, 2)).toEqual([3, 4]);
    expect(seqsAfter(recent, 5)).toEqual([]);
  });

  it('come in smaller numbers when they are large, and at least one', () => {
    const large = filled(entries(4, { text: 'x'.repeat(300_000) }));
    expect(seqsAfter(large, 0)).toEqual([1, 2, 3]);
    expect(seqsAfter(large, 2)).toEqual([3, 4]);
    const huge = filled(entries(2, { text: 'x'.repeat(2_000_000) }));
    expect(seqsAfter(huge, 0)).toEqual([1]);
  });

  it('are unknown where they do not reach back', () => {
    expect(seqsAfter(new RecentEntries(1_000), 0)).toBeUndefined();
    const recent = filled(entries(10).slice(4));
    expect(seqsAfter(recent, 3)).toBeUndefined();
    expect(seqsAfter(recent, 4)).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it('are dropped from the oldest on when there is no room', () => {
    const list = entries(10);
    const recent = filled(list, approximateBytes(list[5]!) * 3.5);
    expect(seqsAfter(recent, 6)).toBeUndefined();
    expect(seqsAfter(recent, 7)).toEqual([8, 9, 10]);
  });

  it('hold none that is larger than the room, and go on behind it', () => {
    const history = new MemoryHistory();
    const recent = new RecentEntries(5_000);
    recent.push(history.commit({ operation: 'insert', id: 'a', data: { text: 'x'.repeat(10_000) } })!);
    expect(seqsAfter(recent, 0)).toBeUndefined();
    recent.push(history.commit({ operation: 'insert', id: 'b' })!);
    expect(seqsAfter(recent, 1)).toEqual([2]);
  });

  it('are forgotten at once, and may begin anywhere then', () => {
    const recent = filled(entries(3));
    recent.clear();
    expect(seqsAfter(recent, 0)).toBeUndefined();
    for (const entry of entries(9).slice(6)) recent.push(entry);
    expect(seqsAfter(recent, 6)).toEqual([7, 8, 9]);
  });

  it('let go of what was dropped', () => {
    const list = entries(2_000);
    const recent = filled(list, approximateBytes(list[5]!) * 2.5) as unknown as { entries: (Entry | undefined)[] };
    expect(recent.entries.filter((entry) => entry !== undefined)).toHaveLength(2);
    expect(recent.entries.length).toBeLessThan(1_100);
  });

  it('are always a gap-free tail of what was pushed', () => {
    const list = entries(3_000);
    fc.assert(
      fc.property(fc.nat(3_000), fc.integer({ min: 0, max: 100_000 }), fc.nat(3_000), (count, room, after) => {
        const recent = filled(list.slice(0, count), room);
        const found = recent.after(seq(after), 50);
        if (found !== undefined) expect(found).toEqual(list.slice(after, Math.min(after + 50, count)));
        else expect(after < count || count === 0 || room < 1_000).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the count of bytes', () => {
  it('grows with what an entry holds, whatever its form', () => {
    const size = (data: JsonObject) => approximateBytes(entries(1, data)[0]!);
    const plain = size({});
    expect(size({ text: 'x'.repeat(1_000) })).toBeGreaterThan(plain + 1_000);
    expect(size({ list: new Array<number>(1_000).fill(1) })).toBeGreaterThan(plain + 4_000);
    expect(size({ deep: { deeper: { text: 'x'.repeat(1_000) } } })).toBeGreaterThan(plain + 1_000);
  });

  it('counts before, after and patch', () => {
    const history = new MemoryHistory();
    const text = 'x'.repeat(1_000);
    history.commit({ operation: 'insert', id: 'a', data: { text } });
    expect(approximateBytes(history.commit({ operation: 'update', id: 'a', data: { text } })!)).toBeGreaterThan(3_000);
  });
});
