import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '@tidemark/protocol';
import type { Delivery, JobHandler, JobQueue, WriteJob } from '../port.ts';

/**
 * What becomes of one delivery.
 * - `twice`: the handler gets the job again as soon as it has done it.
 * - `die_before`: the job comes back without the handler having seen it.
 * - `die_after`: the handler has done it, the queue never hears so, and the job comes back: a crash after the commit.
 */
export type JobFate = 'deliver' | 'twice' | 'die_before' | 'die_after' | { readonly delayMs: Millis };

/** Asked once per delivery. */
export type QueueFaults = (job: WriteJob, delivery: Delivery) => JobFate;

/** A queue whose deliveries go wrong by plan, as the port allows it. For tests of those who consume. */
export function createFaultyQueue(queue: JobQueue, faults: QueueFaults): JobQueue {
  const faulty =
    (handler: JobHandler): JobHandler =>
    async (job, delivery) => {
      const fate = faults(job, delivery);
      if (fate === 'die_before') throw new Error('fault: the consumer died before the job');
      if (typeof fate === 'object') await sleep(fate.delayMs);
      await handler(job, delivery);
      if (fate === 'twice') await handler(job, { attempt: delivery.attempt + 1 });
      if (fate === 'die_after') throw new Error('fault: the consumer died after the job');
    };
  return {
    enqueue: (job) => queue.enqueue(job),
    consume: (lane, options, handler) => queue.consume(lane, options, faulty(handler)),
    depth: () => queue.depth(),
    check: () => queue.check(),
    close: () => queue.close(),
  };
}
