import { describe, expect, it } from '@jest/globals';
import { brandAs, type Epoch, type Lane, type Position, type Seq } from '@tidemark/protocol';
import type { LaneEpoch } from '@tidemark/storage';
import { hasReached, positionOf, samePosition, seqAt, startOf } from './position.ts';

const position = (epoch: number, ...seqs: number[]) => ({ epoch, seqs }) as unknown as Position;
const layout: LaneEpoch = { epoch: brandAs<Epoch>(2), lanes: 3, base: brandAs<Seq>(10) };
const head = (lane: number, seq: number) => ({
  lane: brandAs<Lane>(lane),
  head: brandAs<Seq>(seq),
  trimmed: brandAs<Seq>(0),
});

describe('positions', () => {
  it('start at the base of their epoch', () => {
    expect(startOf(layout)).toEqual(position(2, 10, 10, 10));
    expect(positionOf(layout, [])).toEqual(position(2, 10, 10, 10));
    expect(positionOf(layout, [head(2, 15), head(0, 12)])).toEqual(position(2, 12, 10, 15));
  });

  it.each<[Position, Position, boolean]>([
    [position(1, 5, 5), position(1, 5, 5), true],
    [position(1, 6, 5), position(1, 5, 5), true],
    [position(1, 6, 4), position(1, 5, 5), false],
    [position(2, 0, 0), position(1, 9, 9), true],
    [position(1, 9, 9), position(2, 0, 0), false],
    [position(2, 3), position(2, 3, 1), false],
  ])('%j has reached %j: %s', (here, target, expected) => {
    expect(hasReached(here, target)).toBe(expected);
  });

  it('are the same when epoch and every lane are', () => {
    expect(samePosition(position(1, 5, 5), position(1, 5, 5))).toBe(true);
    expect(samePosition(position(1, 5, 5), position(1, 5, 6))).toBe(false);
    expect(samePosition(position(1, 5, 5), position(2, 5, 5))).toBe(false);
  });

  it('have a seq for every lane, also for those that came later', () => {
    const here = position(1, 5, 7);
    expect([seqAt(here, brandAs<Lane>(1)), seqAt(here, brandAs<Lane>(9))]).toEqual([7, 0]);
  });
});
