import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { brandAs, type Lane } from '@tidemark/protocol';
import { LaneQueue } from './lane-queue.ts';

const lanes = (...indexes: number[]) => indexes.map((index) => brandAs<Lane>(index));

describe('the queue of lanes', () => {
  it('runs what shares a lane one after another, in order, and the rest beside it', async () => {
    const queue = new LaneQueue();
    const running = new Map<number, number>();
    const order: number[] = [];
    let together = 0;
    const task = (name: number, used: number[]) =>
      queue.run(lanes(...used), async () => {
        for (const lane of used) running.set(lane, (running.get(lane) ?? 0) + 1);
        expect(used.map((lane) => running.get(lane))).toEqual(used.map(() => 1));
        together = Math.max(together, [...running.values()].filter((count) => count > 0).length);
        await turn();
        order.push(name);
        for (const lane of used) running.set(lane, 0);
      });
    await Promise.all([task(1, [0]), task(2, [0, 1]), task(3, [1, 0]), task(4, [2]), task(5, [0])]);
    expect(order.filter((name) => name !== 4)).toEqual([1, 2, 3, 5]);
    expect(together).toBeGreaterThan(1);
  });

  it('goes on after a task that failed', async () => {
    const queue = new LaneQueue();
    const failing = queue.run(lanes(0), async () => {
      throw new Error('no');
    });
    const next = queue.run(lanes(0), async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});
