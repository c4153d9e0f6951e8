import { isObject, type Lane, SyncError } from '@tidemark/protocol';
import type { Job } from 'bullmq';
import type { ConsumeOptions, Consumer, JobHandler, WriteJob } from '../port.ts';
import { redeliveryDelay } from '../redelivery.ts';
import { isReady, within } from './call.ts';
import type { RedisConnections } from './connections.ts';
import { redisKeys } from './keys.ts';
import { queueName } from './lane-jobs.ts';
import { LaneWorker } from './lane-worker.ts';
import type { RedisQueueSettings } from './queue-settings.ts';

export interface LaneConsumer extends Consumer {
  /** Ends without a word to anyone, as a killed process would. */
  kill(): Promise<void>;
}

export interface LaneWork {
  readonly lane: Lane;
  readonly options: ConsumeOptions;
  readonly handler: JobHandler;
}

/** How long close waits for Redis to hear that the last jobs are done; unheard, they are delivered again. */
const closeGraceMs = 2_000;

/** Throws SyncError `unavailable` when Redis does not answer in time. */
export async function openLaneConsumer(
  connections: RedisConnections,
  settings: RedisQueueSettings,
  work: LaneWork,
): Promise<LaneConsumer> {
  const { lane, handler } = work;
  const { log } = connections;
  const atWork = new Set<Promise<void>>();
  const worker = createWorker(connections, settings, work, async (job) => {
    const done = handle(job, handler).catch((err: unknown) => {
      log.warn({ err, lane, job: job.data.id, attempt: job.attemptsStarted }, 'job is delivered again');
      // BullMQ gives some errors a meaning of their own, by name and message; a handler's error must have none.
      throw new Error('the handler rejected', { cause: err });
    });
    atWork.add(done);
    await done.finally(() => atWork.delete(done));
  });
  worker.on('error', (err) => {
    // An outage has been reported once; every lane would tell it again with every attempt to reconnect.
    if (isReady(connections.worker())) log.warn({ err, lane }, 'worker');
  });
  try {
    await within(connections.commandTimeoutMs, worker.waitUntilReady());
  } catch (cause) {
    await worker.close(true).catch(() => {});
    throw new SyncError('unavailable', 'Redis does not answer.', { retryAfterMs: 1_000, cause });
  }
  worker.run().catch((err: unknown) => log.error({ err, lane }, 'worker stopped'));
  return {
    async close() {
      const closed = worker.close();
      await Promise.allSettled(atWork);
      await within(closeGraceMs, closed).catch(async (err: unknown) => {
        log.warn({ err, lane }, 'worker was not closed in time');
        await worker.sever();
      });
    },
    kill: () => worker.close(true),
  };
}

function createWorker(
  connections: RedisConnections,
  settings: RedisQueueSettings,
  work: LaneWork,
  process: (job: Job<WriteJob>) => Promise<void>,
): LaneWorker {
  return new LaneWorker(queueName, process, {
    connection: connections.worker(),
    prefix: redisKeys(connections.keyPrefix).lanePrefix(work.lane),
    concurrency: work.options.concurrency,
    autorun: false,
    lockDuration: settings.lockMs,
    // A dead consumer's job is found by the second check after its lock has run out at the latest.
    stalledInterval: Math.ceil(settings.lockMs / 3),
    maxStalledCount: 2 ** 31 - 1,
    // After an error of the connection.
    runRetryDelay: 500,
    settings: { backoffStrategy: (attemptsMade) => redeliveryDelay(attemptsMade, settings) },
  });
}

async function handle(job: Job<WriteJob>, handler: JobHandler): Promise<void> {
  // The id of a job whose body Redis has lost (evicted, or deleted by hand): nothing is left to be done.
  if (!isObject(job.data) || !Array.isArray(job.data.requests)) return;
  await handler(job.data, { attempt: job.attemptsStarted });
}
