import { describe, expect, it } from '@jest/globals';
import { brandAs, type Entry, type Epoch, type Position, type Seq } from '@tidemark/protocol';
import fc from 'fast-check';
import { type LaneRun, mergeLanes } from './merge-lanes.ts';

const epoch = brandAs<Epoch>(1);
const positionAt = (...seqs: number[]): Position => ({ epoch, seqs: seqs.map((seq) => brandAs<Seq>(seq)) });

/** A run behind `after` whose entries were committed at these times. */
function run(lane: number, times: readonly number[], { after = 0, hasMore = false } = {}): LaneRun {
  const entries = times.map(
    (committedAt, index) => ({ lane, seq: after + index + 1, committedAt }) as unknown as Entry,
  );
  return { lane, entries, hasMore };
}

const timesOf = (entries: readonly Entry[]) => entries.map(({ committedAt }) => committedAt);

describe('lanes', () => {
  it('are merged by the times of their commits', () => {
    const { entries, position } = mergeLanes(positionAt(0, 0, 0), [run(0, [2, 5]), run(1, [1, 3, 6]), run(2, [4])], 9);
    expect(timesOf(entries)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(position).toEqual(positionAt(2, 3, 1));
  });

  it('are merged up to the limit, and the position is that of what was taken', () => {
    const { entries, position } = mergeLanes(
      positionAt(4, 7),
      [run(0, [1, 4], { after: 4 }), run(1, [2, 3], { after: 7 })],
      3,
    );
    expect(timesOf(entries)).toEqual([1, 2, 3]);
    expect(position).toEqual(positionAt(5, 9));
  });

  it('end where one does that goes on, since what follows there may be earlier', () => {
    const { entries, position } = mergeLanes(positionAt(0, 0), [run(0, [1, 2], { hasMore: true }), run(1, [1, 9])], 9);
    expect(timesOf(entries)).toEqual([1, 2, 1].sort());
    expect(position).toEqual(positionAt(2, 1));
  });

  it('without entries leave the position as it is', () => {
    const from = positionAt(3, 3);
    expect(mergeLanes(from, [], 5)).toEqual({ entries: [], position: from });
  });

  it('with clocks that went back keep the order of each lane', () => {
    const { entries } = mergeLanes(positionAt(0, 0), [run(0, [5, 1]), run(1, [3])], 9);
    expect(timesOf(entries)).toEqual([3, 5, 1]);
  });

  it('give everything once, in steps of any size, each lane in order', () => {
    const lanes = fc.array(fc.array(fc.nat(50), { maxLength: 12 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lanes, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 }), (times, limit, share) => {
        let position = positionAt(...times.map(() => 0));
        const seen: Entry[] = [];
        for (let step = 0; step < 100; step++) {
          const runs = times.map((all, lane) => {
            const after = position.seqs[lane] ?? 0;
            return run(lane, all.slice(after, after + share), { after, hasMore: after + share < all.length });
          });
          const chunk = mergeLanes(position, runs, limit);
          expect(chunk.entries.length).toBeLessThanOrEqual(limit);
          seen.push(...chunk.entries);
          position = chunk.position;
        }
        times.forEach((all, lane) => {
          expect(timesOf(seen.filter((entry) => Number(entry.lane) === lane))).toEqual(all);
        });
      }),
    );
  });
});
