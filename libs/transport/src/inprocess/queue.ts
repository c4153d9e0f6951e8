import { type Lane, SyncError } from '@tidemark/protocol';
import { silentLog, type TransportLog } from '../log.ts';
import type { ConsumeOptions, Consumer, JobHandler, JobQueue, WriteJob } from '../port.ts';
import { createLaneQueue, type LaneQueue } from './lane-queue.ts';

export interface InProcessQueueOptions {
  /** Jobs that one lane may hold, waiting or at work; one more is `overloaded`. */
  readonly maxDepth?: number;
  /** What a refused gateway is told to wait. */
  readonly retryAfterMs?: number;
  /** Delay before the second delivery of a job; doubles with every further one up to `maxRedeliveryDelayMs`. */
  readonly redeliveryDelayMs?: number;
  readonly maxRedeliveryDelayMs?: number;
  readonly log?: TransportLog;
}

export interface InProcessQueue extends JobQueue {
  /** For tests: as if the consumer's process died. Its jobs are delivered again, what its handlers still do counts for nothing. */
  kill(consumer: Consumer): void;
}

const defaults = {
  maxDepth: 1_000,
  retryAfterMs: 500,
  redeliveryDelayMs: 50,
  maxRedeliveryDelayMs: 5_000,
  log: silentLog,
};

/**
 * Lanes in memory: a job reaches a free handler in the next microtask, as the same object. It dies with the process,
 * and so do the gateways that wait for it: nothing of it has been acknowledged.
 */
export function createInProcessQueue(options: InProcessQueueOptions = {}): InProcessQueue {
  const settings = { ...defaults, ...options };
  const lanes = new Map<Lane, LaneQueue>();
  let closed = false;
  const refuseWhenClosed = () => {
    if (closed) throw new SyncError('unavailable', 'The queue is closed.', { retryAfterMs: settings.retryAfterMs });
  };
  const laneOf = (lane: Lane): LaneQueue => {
    let queue = lanes.get(lane);
    if (queue === undefined) {
      queue = createLaneQueue(settings);
      lanes.set(lane, queue);
    }
    return queue;
  };
  return {
    async enqueue(job: WriteJob) {
      refuseWhenClosed();
      laneOf(job.lane).add(job);
    },
    async consume(lane: Lane, consumeOptions: ConsumeOptions, handler: JobHandler) {
      refuseWhenClosed();
      return laneOf(lane).consume(consumeOptions, handler);
    },
    async depth() {
      return new Map([...lanes].map(([lane, queue]) => [lane, queue.depth()]));
    },
    async check() {
      refuseWhenClosed();
    },
    async close() {
      closed = true;
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
    },
    kill(consumer: Consumer) {
      for (const lane of lanes.values()) lane.kill(consumer);
    },
  };
}
