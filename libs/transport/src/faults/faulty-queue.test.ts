import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRecorder, eventually, job, lane } from '../conformance/index.ts';
import { createInProcessQueue } from '../inprocess/index.ts';
import type { JobQueue } from '../port.ts';
import { createFaultyQueue, type JobFate } from './faulty-queue.ts';

let queue: JobQueue;
let fate: JobFate;

beforeEach(() => {
  fate = 'deliver';
  const inner = createInProcessQueue({ redeliveryDelayMs: 1, maxRedeliveryDelayMs: 2 });
  queue = createFaultyQueue(inner, (_, { attempt }) => (attempt === 1 ? fate : 'deliver'));
});
afterEach(() => queue.close());

async function deliveries(expected: number): Promise<readonly number[]> {
  const seen = createRecorder<number>();
  await queue.consume(lane(0), { concurrency: 1 }, async (_, { attempt }) => seen.add(attempt));
  await queue.enqueue(job('one'));
  await seen.reached(expected);
  await eventually(async () => (await queue.depth()).get(lane(0)) === 0);
  return seen.items;
}

describe('createFaultyQueue', () => {
  it('delivers what the plan lets through', async () => {
    expect(await deliveries(1)).toEqual([1]);
    await queue.check();
  });

  it('delivers twice', async () => {
    fate = 'twice';
    expect(await deliveries(2)).toEqual([1, 2]);
  });

  it('lets a consumer die before it has seen the job', async () => {
    fate = 'die_before';
    expect(await deliveries(1)).toEqual([2]);
  });

  it('lets a consumer die after it has done the job', async () => {
    fate = 'die_after';
    expect(await deliveries(2)).toEqual([1, 2]);
  });

  it('delays, so that a later job passes', async () => {
    const done = createRecorder<string>();
    const inner = createInProcessQueue();
    const slow = createFaultyQueue(inner, (one) => (one.id === 'late' ? { delayMs: 20 } : 'deliver'));
    await slow.consume(lane(0), { concurrency: 2 }, async (one) => done.add(one.id));
    await slow.enqueue(job('late'));
    await slow.enqueue(job('early'));
    expect(await done.reached(2)).toEqual(['early', 'late']);
    await slow.close();
  });
});
