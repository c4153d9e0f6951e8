import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createGate, createRecorder, job, lane } from '../conformance/index.ts';
import { createInProcessQueue, type InProcessQueue, type InProcessQueueOptions } from './queue.ts';

let queue: InProcessQueue;
const open = (options?: InProcessQueueOptions) => {
  queue = createInProcessQueue(options);
  return queue;
};
afterEach(async () => {
  jest.useRealTimers();
  await queue.close();
});

describe('the way of a job', () => {
  it('is one microtask long and uses no timer', async () => {
    jest.useFakeTimers();
    open();
    const order: string[] = [];
    await queue.consume(lane(0), { concurrency: 1 }, async () => void order.push('handler'));
    const enqueued = queue.enqueue(job('one'));
    order.push('enqueue has returned');
    await enqueued;
    await Promise.resolve();
    expect(order).toEqual(['enqueue has returned', 'handler']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('hands over the very same object', async () => {
    open();
    const sent = job('same');
    const seen = createRecorder<object>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one) => seen.add(one));
    await queue.enqueue(sent);
    expect((await seen.reached(1))[0]).toBe(sent);
  });

  it('does not call a handler from within the one that enqueues', async () => {
    open();
    const order = createRecorder<string>();
    await queue.consume(lane(1), { concurrency: 1 }, async () => order.add('inner'));
    await queue.consume(lane(0), { concurrency: 1 }, async () => {
      const enqueued = queue.enqueue(job('inner', { lane: 1 }));
      order.add('outer goes on');
      await enqueued;
    });
    await queue.enqueue(job('outer'));
    expect(await order.reached(2)).toEqual(['outer goes on', 'inner']);
  });
});

describe('redelivery', () => {
  it('waits longer every time, up to the maximum', async () => {
    jest.useFakeTimers();
    open({ redeliveryDelayMs: 100, maxRedeliveryDelayMs: 300 });
    const times: number[] = [];
    await queue.consume(lane(0), { concurrency: 1 }, async () => {
      times.push(Date.now());
      throw new Error('never');
    });
    const start = Date.now();
    await queue.enqueue(job('poison'));
    await jest.advanceTimersByTimeAsync(1_200);
    expect(times.map((time) => time - start)).toEqual([0, 100, 300, 600, 900, 1_200]);
  });

  it('tells the operator', async () => {
    const warnings = createRecorder<object>();
    open({ redeliveryDelayMs: 1, log: { warn: (fields) => warnings.add(fields), error: () => {} } });
    await queue.consume(lane(0), { concurrency: 1 }, async (_, { attempt }) => {
      if (attempt === 1) throw new Error('the store is away');
    });
    await queue.enqueue(job('again'));
    const [warning] = await warnings.reached(1);
    expect(warning).toMatchObject({ job: 'again', attempt: 1, delayMs: 1, err: new Error('the store is away') });
  });

  it('is over when the queue is closed', async () => {
    jest.useFakeTimers();
    open({ redeliveryDelayMs: 1_000 });
    const seen = createRecorder<number>();
    await queue.consume(lane(0), { concurrency: 1 }, async (_, { attempt }) => {
      seen.add(attempt);
      throw new Error('never');
    });
    await queue.enqueue(job('poison'));
    await jest.advanceTimersByTimeAsync(0);
    expect(jest.getTimerCount()).toBe(1);
    await queue.close();
    expect(jest.getTimerCount()).toBe(0);
    expect(seen.items).toEqual([1]);
  });
});

describe('kill', () => {
  it('gives the jobs to another at once, in order, and ignores what the dead one still does', async () => {
    open();
    const gate = createGate();
    const [held, done] = [createRecorder<string>(), createRecorder<string>()];
    const dying = await queue.consume(lane(0), { concurrency: 2 }, async (one) => {
      held.add(one.id);
      await gate.opened;
      throw new Error('too late');
    });
    for (const id of ['a', 'b', 'c']) await queue.enqueue(job(id));
    await held.reached(2);
    queue.kill(dying);
    await queue.consume(lane(0), { concurrency: 1 }, async (one, { attempt }) => done.add(`${one.id}${attempt}`));
    expect(await done.reached(3)).toEqual(['a2', 'b2', 'c1']);
    gate.open();
    await dying.close();
    expect((await queue.depth()).get(lane(0))).toBe(0);
    expect(held.items).toEqual(['a', 'b']);
  });

  it('ends a close that is waiting', async () => {
    open();
    const held = createRecorder<string>();
    const consumer = await queue.consume(lane(0), { concurrency: 1 }, async (one) => {
      held.add(one.id);
      await new Promise(() => {});
    });
    await queue.enqueue(job('stuck'));
    await held.reached(1);
    const closing = consumer.close();
    queue.kill(consumer);
    await closing;
    expect((await queue.depth()).get(lane(0))).toBe(1);
  });
});
