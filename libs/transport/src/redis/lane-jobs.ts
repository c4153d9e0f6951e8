import { type Lane, SyncError } from '@tidemark/protocol';
import { type JobsOptions, Queue } from 'bullmq';
import type { WriteJob } from '../port.ts';
import { isReady, within } from './call.ts';
import type { RedisConnections } from './connections.ts';
import { redisKeys } from './keys.ts';
import type { RedisQueueSettings } from './queue-settings.ts';

/** The producer's side of a lane. Errors are the driver's. */
export interface LaneJobs {
  /** Throws SyncError `overloaded`. A job whose id is in the lane already is not added again. */
  add(job: WriteJob): Promise<void>;
  depth(): Promise<number>;
  close(): Promise<void>;
}

/** BullMQ's name of every lane's queue; the lane is in the prefix, see RedisKeys. */
export const queueName = 'jobs';

const jobOptions: JobsOptions = {
  removeOnComplete: true,
  // "For ever": a job is only ever gone when a handler has done it.
  attempts: 2 ** 31 - 1,
  backoff: { type: 'custom' },
  // Otherwise every redelivery adds a stack trace to the job.
  stackTraceLimit: 0,
};

export async function openLaneJobs(
  connections: RedisConnections,
  settings: RedisQueueSettings,
  lane: Lane,
): Promise<LaneJobs> {
  const client = connections.commands();
  const keys = redisKeys(connections.keyPrefix);
  const queue = new Queue<WriteJob>(queueName, {
    connection: client,
    prefix: keys.lanePrefix(lane),
    defaultJobOptions: jobOptions,
    // Nobody reads BullMQ's events.
    streams: { events: { maxLen: 100 } },
  });
  queue.on('error', (err) => {
    if (isReady(client)) connections.log.warn({ err, lane }, 'queue');
  });
  await within(connections.commandTimeoutMs, queue.waitUntilReady()).catch(async (error: unknown) => {
    await queue.close();
    throw error;
  });
  const depth = async () => {
    const counts = await queue.getJobCounts('wait', 'active', 'delayed');
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  };
  const admit = createAdmission(settings, async () => {
    const [jobs] = await Promise.all([depth(), client.sadd(keys.lanes, lane)]);
    return jobs;
  });
  return {
    async add(job) {
      await admit();
      await queue.add('write', job, { jobId: bullId(job.id) });
    },
    depth,
    close: () => queue.close(),
  };
}

/** How long a look at the lane's depth is trusted, and by which part of the room that is left: the rest is for other gateways. */
const trustMs = 1_000;
const share = 8;

/** Resolves when there is room for one more job; asks Redis at most every so often while the lane is far from full. */
function createAdmission(settings: RedisQueueSettings, depth: () => Promise<number>): () => Promise<void> {
  let allowance = 0;
  let trustedUntil = 0;
  return async () => {
    if (allowance > 0 && performance.now() < trustedUntil) {
      allowance -= 1;
      return;
    }
    const room = settings.maxDepth - (await depth());
    if (room <= 0) {
      const { maxDepth, retryAfterMs } = settings;
      throw new SyncError('overloaded', `The lane holds ${maxDepth} jobs.`, { retryAfterMs });
    }
    allowance = Math.floor(room / share);
    trustedUntil = performance.now() + trustMs;
  };
}

/** BullMQ refuses ids that are integers or hold a colon. */
function bullId(id: string): string {
  return `j-${id.replaceAll('%', '%25').replaceAll(':', '%3A')}`;
}
