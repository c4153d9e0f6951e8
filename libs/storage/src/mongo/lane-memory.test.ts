import { describe, expect, it } from '@jest/globals';
import { brandAs, type Epoch, type Lane, type Seq } from '@tidemark/protocol';
import { Timestamp } from 'mongodb';
import { LaneMemory } from './lane-memory.ts';

const epoch = brandAs<Epoch>(1);
const lane = (value: number) => brandAs<Lane>(value);
const state = (of: number, head: number) => ({ lane: lane(of), head: brandAs<Seq>(head), fence: 3 });
const time = (t: number) => new Timestamp({ t, i: 1 });

describe('the memory of lanes', () => {
  it('recalls lanes together, as of the latest of their commits', () => {
    const memory = new LaneMemory();
    memory.learn(epoch, [state(0, 5)], time(2));
    memory.learn(epoch, [state(1, 7)], time(1));
    const known = memory.recall(epoch, [lane(0), lane(1)]);
    expect(known?.asOf).toEqual(time(2));
    expect([...(known?.lanes.values() ?? [])]).toMatchObject([state(0, 5), state(1, 7)]);
  });

  it('knows all of them or says nothing', () => {
    const memory = new LaneMemory();
    memory.learn(epoch, [state(0, 5), state(1, 7)], time(1));
    memory.forget(epoch, [lane(1)]);
    expect(memory.recall(epoch, [lane(0), lane(1)])).toBeUndefined();
    expect(memory.recall(epoch, [lane(0)])?.lanes.get(lane(0))).toMatchObject(state(0, 5));
  });

  it('keeps epochs apart', () => {
    const memory = new LaneMemory();
    memory.learn(epoch, [state(0, 5)], time(1));
    expect(memory.recall(brandAs<Epoch>(2), [lane(0)])).toBeUndefined();
  });
});
