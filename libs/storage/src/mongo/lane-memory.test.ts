import { describe, expect, it } from '@jest/globals';
import { brandAs, type Epoch, type Lane, type Seq } from '@tidemark/protocol';
import { LaneMemory } from './lane-memory.ts';

const epoch = brandAs<Epoch>(1);
const lane = (value: number) => brandAs<Lane>(value);
const state = (of: number, head: number) => ({ lane: lane(of), head: brandAs<Seq>(head), fence: 3 });

describe('the memory of lanes', () => {
  it('recalls lanes as they were learnt last', () => {
    const memory = new LaneMemory();
    memory.learn(epoch, [state(0, 5), state(1, 7)]);
    memory.learn(epoch, [state(0, 6)]);
    expect([...(memory.recall(epoch, [lane(0), lane(1)])?.values() ?? [])]).toEqual([state(0, 6), state(1, 7)]);
  });

  it('knows all of them or says nothing', () => {
    const memory = new LaneMemory();
    memory.learn(epoch, [state(0, 5), state(1, 7)]);
    memory.forget(epoch, [lane(1)]);
    expect(memory.recall(epoch, [lane(0), lane(1)])).toBeUndefined();
    expect(memory.recall(epoch, [lane(0)])?.get(lane(0))).toEqual(state(0, 5));
  });

  it('keeps epochs apart', () => {
    const memory = new LaneMemory();
    memory.learn(epoch, [state(0, 5)]);
    expect(memory.recall(brandAs<Epoch>(2), [lane(0)])).toBeUndefined();
  });
});
