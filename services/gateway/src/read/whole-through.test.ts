import { describe, expect, it } from '@jest/globals';
import { decodeCheckpoint, type Entry, type HistoryId, type Position } from '@tidemark/protocol';
import { isWithin, tokenOf } from './whole-through.ts';

const position = (epoch: number, ...seqs: number[]) => ({ epoch, seqs }) as unknown as Position;
const entry = (epoch: number, lane: number, seq: number) => ({ epoch, lane, seq }) as unknown as Entry;
const history = 'h' as HistoryId;

describe('the point up to which documents are sent whole', () => {
  it.each([
    [entry(2, 0, 5), position(2, 5, 9), true],
    [entry(2, 0, 6), position(2, 5, 9), false],
    [entry(2, 1, 9), position(2, 5, 9), true],
    [entry(1, 0, 99), position(2, 5, 9), true],
    [entry(3, 0, 1), position(2, 5, 9), false],
    [entry(2, 0, 1), undefined, false],
  ])('holds %j within %j: %s', (one, point, expected) => {
    expect(isWithin(one, point)).toBe(expected);
  });

  it('travels in the token while it lies ahead', () => {
    const pointIn = (here: Position, point: Position | undefined) =>
      decodeCheckpoint(tokenOf({ historyId: history, rights: undefined }, here, point))?.wholeThrough;
    expect(pointIn(position(2, 4, 9), position(2, 5, 9))).toEqual([5, 9]);
    expect(pointIn(position(2, 5, 9), position(2, 5, 9))).toBeUndefined();
    expect(pointIn(position(1, 4), position(2, 5, 9))).toBeUndefined();
    expect(pointIn(position(2, 4, 9), undefined)).toBeUndefined();
  });
});
