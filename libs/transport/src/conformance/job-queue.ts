import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SyncError } from '@tidemark/protocol';
import type { Consumer, JobQueue, WriteJob } from '../port.ts';
import { createGate, createRecorder, eventually } from './recorder.ts';
import { job, lane } from './samples.ts';

/** One fresh queue and its processes. */
export interface JobQueueRig {
  /** The queue as a process of its own holds it; every call is another process on the same jobs. Closed by the suite. */
  connect(options?: { readonly maxDepth?: number }): Promise<JobQueue>;
  /** The process that holds this queue object dies, in the midst of what it does. */
  crash(queue: JobQueue): Promise<void>;
  /** Called after the queues are closed. */
  close(): Promise<void>;
}

/** What every JobQueue must do. The rig should redeliver within a few hundred milliseconds. */
export function describeJobQueue(name: string, open: () => Promise<JobQueueRig>): void {
  describe(`JobQueue: ${name}`, () => {
    const context = useRig(open);
    describe('order', () => orderCases(context));
    describe('redelivery', () => redeliveryCases(context));
    describe('closing', () => closingCases(context));
    describe('bounds', () => boundCases(context));
  });
}

interface Context {
  connect(options?: { readonly maxDepth?: number }): Promise<JobQueue>;
  crash(queue: JobQueue): Promise<void>;
}

function useRig(open: () => Promise<JobQueueRig>): Context {
  let rig: JobQueueRig;
  let queues: JobQueue[];
  beforeEach(async () => {
    rig = await open();
    queues = [];
  });
  afterEach(async () => {
    await Promise.all(queues.map((queue) => queue.close()));
    await rig.close();
  });
  return {
    async connect(options) {
      const queue = await rig.connect(options);
      queues.push(queue);
      return queue;
    },
    async crash(queue) {
      queues = queues.filter((other) => other !== queue);
      await rig.crash(queue);
    },
  };
}

const enqueueAll = async (queue: JobQueue, jobs: readonly WriteJob[]) => {
  for (const one of jobs) await queue.enqueue(one);
};
const numbered = (count: number, laneIndex = 0) =>
  Array.from({ length: count }, (_, index) => job(`l${laneIndex}-${index}`, { lane: laneIndex }));
const ids = (jobs: readonly WriteJob[]) => jobs.map((one) => String(one.id));
const isEmpty = async (queue: JobQueue, index = 0) => ((await queue.depth()).get(lane(index)) ?? 0) === 0;

function orderCases({ connect }: Context): void {
  it('delivers a job as it was put in, with attempt 1', async () => {
    const queue = await connect();
    const deliveries = createRecorder<{ job: WriteJob; attempt: number }>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one, { attempt }) => deliveries.add({ job: one, attempt }));
    const sent = job('unicode', { text: 'Grüße \u0000 \u2028 漢字 🌊 "quoted"', changes: 3 });
    await queue.enqueue(sent);
    const [first] = await deliveries.reached(1);
    expect(JSON.parse(JSON.stringify(first?.job))).toEqual(JSON.parse(JSON.stringify(sent)));
    expect(first?.attempt).toBe(1);
  });

  it('keeps the order of a lane', async () => {
    const queue = await connect();
    const sent = numbered(200);
    await enqueueAll(queue, sent.slice(0, 100));
    const seen = createRecorder<WriteJob>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one) => seen.add(one));
    await enqueueAll(queue, sent.slice(100));
    expect(ids(await seen.reached(200))).toEqual(ids(sent));
  });

  it('starts jobs in order with concurrency, and honours it', async () => {
    const queue = await connect();
    const seen = createRecorder<WriteJob>();
    const gate = createGate();
    await enqueueAll(queue, numbered(10));
    const handler = async (one: WriteJob) => {
      seen.add(one);
      await gate.opened;
    };
    await queue.consume(lane(0), { concurrency: 4 }, handler);
    await seen.reached(4);
    expect(await depthOf(queue)).toBe(10);
    expect(seen.items.length).toBe(4);
    gate.open();
    expect(ids(await seen.reached(10)).sort()).toEqual(ids(numbered(10)).sort());
    expect(ids(seen.items).slice(0, 4)).toEqual(ids(numbered(4)));
  });

  it('keeps lanes apart: one that stands still does not hold another', async () => {
    const queue = await connect();
    const gate = createGate();
    const seen = createRecorder<WriteJob>();
    await queue.consume(lane(0), { concurrency: 1 }, () => gate.opened);
    await queue.consume(lane(1), { concurrency: 1 }, async (one) => seen.add(one));
    await enqueueAll(queue, [...numbered(3, 0), ...numbered(3, 1), ...numbered(3, 2)]);
    expect(ids(await seen.reached(3))).toEqual(ids(numbered(3, 1)));
    expect(await depthOf(queue, 0)).toBe(3);
    expect(await depthOf(queue, 2)).toBe(3);
    gate.open();
    await eventually(() => isEmpty(queue));
  });

  it('shares a lane between processes without doing a job twice', async () => {
    const [producer, left, right] = [await connect(), await connect(), await connect()];
    const seen = createRecorder<WriteJob>();
    const handler = async (one: WriteJob) => seen.add(one);
    await left.consume(lane(0), { concurrency: 2 }, handler);
    await right.consume(lane(0), { concurrency: 2 }, handler);
    await enqueueAll(producer, numbered(60));
    await seen.reached(60);
    await eventually(() => isEmpty(producer));
    expect(new Set(ids(seen.items)).size).toBe(60);
    expect(seen.items.length).toBe(60);
  });
}

const depthOf = async (queue: JobQueue, index = 0) => (await queue.depth()).get(lane(index)) ?? 0;

function redeliveryCases({ connect, crash }: Context): void {
  it('delivers a rejected job again until it is done, and counts the attempts', async () => {
    const queue = await connect();
    const attempts = createRecorder<number>();
    await queue.consume(lane(0), { concurrency: 1 }, async (_, { attempt }) => {
      attempts.add(attempt);
      if (attempt < 4) throw new Error('not yet');
    });
    await queue.enqueue(job('stubborn'));
    expect(await attempts.reached(4)).toEqual([1, 2, 3, 4]);
    await eventually(() => isEmpty(queue));
    expect(attempts.items.length).toBe(4);
  });

  it('takes a handler that throws at once like one that rejects', async () => {
    const queue = await connect();
    const attempts = createRecorder<number>();
    await queue.consume(lane(0), { concurrency: 1 }, (_, { attempt }) => {
      attempts.add(attempt);
      if (attempt === 1) throw new Error('at once');
      return Promise.resolve();
    });
    await queue.enqueue(job('thrown'));
    expect(await attempts.reached(2)).toEqual([1, 2]);
    await eventually(() => isEmpty(queue));
  });

  it('lets others pass while a rejected job waits', async () => {
    const queue = await connect();
    const done = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one, { attempt }) => {
      if (one.id === 'l0-0' && attempt < 3) throw new Error('poison for a while');
      done.add(one.id);
    });
    await enqueueAll(queue, numbered(5));
    const order = await done.reached(5);
    expect([...order].sort()).toEqual(ids(numbered(5)));
    expect(order[0]).not.toBe('l0-0');
  });

  it('counts a job that waits for its next delivery', async () => {
    const queue = await connect();
    const failed = createRecorder<number>();
    const consumer = await queue.consume(lane(0), { concurrency: 1 }, async (_, { attempt }) => {
      failed.add(attempt);
      throw new Error('never');
    });
    await queue.enqueue(job('kept'));
    await failed.reached(2);
    await consumer.close();
    expect(await depthOf(queue)).toBe(1);
  });

  it('gives the jobs of a dead process to the next one', async () => {
    const [producer, dying, heir] = [await connect(), await connect(), await connect()];
    const started = createRecorder<string>();
    const late = createGate();
    await dying.consume(lane(0), { concurrency: 3 }, async (one) => {
      started.add(one.id);
      await late.opened;
    });
    await enqueueAll(producer, numbered(5));
    await started.reached(3);
    await crash(dying);
    const done = createRecorder<string>();
    await heir.consume(lane(0), { concurrency: 1 }, async (one) => done.add(one.id));
    expect([...(await done.reached(5, 30_000))].sort()).toEqual(ids(numbered(5)));
    late.open();
    await eventually(() => isEmpty(producer));
  }, 40_000);
}

function closingCases({ connect }: Context): void {
  it('waits on close for the jobs that are handed out, and takes no more', async () => {
    const queue = await connect();
    const gate = createGate();
    const started = createRecorder<string>();
    const finished: string[] = [];
    const consumer = await queue.consume(lane(0), { concurrency: 2 }, async (one) => {
      started.add(one.id);
      await gate.opened;
      finished.push(one.id);
    });
    await enqueueAll(queue, numbered(5));
    await started.reached(2);
    let closed = false;
    const closing = Promise.all([consumer.close(), consumer.close()]).then(() => {
      closed = true;
    });
    // A round trip through the queue: a close that did not wait would have resolved by then.
    await queue.check();
    expect(closed).toBe(false);
    gate.open();
    await closing;
    expect(finished.sort()).toEqual(ids(numbered(2)));
    expect(started.items.length).toBe(2);
    await eventually(async () => (await depthOf(queue)) === 3);
  });

  it('leaves the rest to the next consumer, also a job that failed while closing', async () => {
    const queue = await connect();
    const gate = createGate();
    const started = createRecorder<string>();
    const consumer = await queue.consume(lane(0), { concurrency: 1 }, async (one) => {
      started.add(one.id);
      await gate.opened;
      throw new Error('shutting down');
    });
    await enqueueAll(queue, numbered(4));
    await started.reached(1);
    const closing = consumer.close();
    gate.open();
    await closing;
    const done = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one) => done.add(one.id));
    expect([...(await done.reached(4))].sort()).toEqual(ids(numbered(4)));
  });

  it('closes an idle consumer at once, twice', async () => {
    const queue = await connect();
    const consumer: Consumer = await queue.consume(lane(0), { concurrency: 1 }, async () => {});
    await consumer.close();
    await consumer.close();
    await queue.enqueue(job('left'));
    expect(await depthOf(queue)).toBe(1);
  });

  it('waits for the handlers when the queue itself is closed, and is unavailable afterwards', async () => {
    const queue = await connect();
    const gate = createGate();
    const started = createRecorder<string>();
    const finished: string[] = [];
    const handler = async (one: WriteJob) => {
      started.add(one.id);
      await gate.opened;
      finished.push(one.id);
    };
    await queue.consume(lane(0), { concurrency: 1 }, handler);
    await queue.enqueue(job('last'));
    await started.reached(1);
    const closing = queue.close();
    gate.open();
    await closing;
    expect(finished).toEqual(['last']);
    await expect(queue.enqueue(job('late'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(queue.check()).rejects.toMatchObject({ code: 'unavailable' });
  });
}

function boundCases({ connect }: Context): void {
  it('refuses what a full lane cannot hold, and takes again when there is room', async () => {
    const queue = await connect({ maxDepth: 3 });
    await enqueueAll(queue, numbered(3));
    const refusal = await queue.enqueue(job('too much')).catch((error: unknown) => error);
    expect(SyncError.is(refusal)).toBe(true);
    expect(refusal).toMatchObject({ code: 'overloaded', retryAfterMs: expect.any(Number) });
    await queue.enqueue(job('other lane', { lane: 1 }));
    const done = createRecorder<string>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one) => done.add(one.id));
    await done.reached(3);
    await eventually(() => isEmpty(queue));
    await queue.enqueue(job('fits now'));
    expect((await done.reached(4))[3]).toBe('fits now');
  });

  it('holds a job of a megabyte', async () => {
    const queue = await connect();
    const seen = createRecorder<WriteJob>();
    await queue.consume(lane(0), { concurrency: 1 }, async (one) => seen.add(one));
    const text = '🌊x'.repeat(350_000);
    await queue.enqueue(job('big', { text }));
    const [big] = await seen.reached(1);
    expect(big?.requests[0]?.changes[0]?.data.text).toBe(text);
  });

  it('is checked and tells its depth by lane', async () => {
    const queue = await connect();
    await queue.check();
    await enqueueAll(queue, [...numbered(2, 0), ...numbered(1, 3)]);
    const depth = await queue.depth();
    expect([depth.get(lane(0)), depth.get(lane(3)), depth.get(lane(5)) ?? 0]).toEqual([2, 1, 0]);
  });
}
