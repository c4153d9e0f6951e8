import type { Logger } from '@tidemark/telemetry';
import type { RedisConnections } from '@tidemark/transport/redis';
import { Queue, Worker } from 'bullmq';
import type { PeriodicTask, Scheduled, Scheduler } from './scheduler.ts';

export interface BullMqSchedulerOptions {
  readonly redis: RedisConnections;
  readonly logger: Logger;
}

/** A tick that ran is of no interest; of those that failed a few, for whoever looks. */
const jobOptions = { removeOnComplete: true, removeOnFail: 20 } as const;

/**
 * Job schedulers of BullMQ, one queue per task: Redis makes one job per tick, and of all janitors one gets it. A Redis that
 * comes back empty has forgotten the schedule, so every janitor renews it now and then.
 */
export function createBullMqScheduler(options: BullMqSchedulerOptions): Scheduler {
  return { schedule: (task) => ScheduledTask.start(task, options) };
}

class ScheduledTask implements Scheduled {
  private readonly queue: Queue;
  private readonly worker: Worker;
  private readonly renewal: NodeJS.Timeout;

  private constructor(queue: Queue, worker: Worker, renewal: NodeJS.Timeout) {
    this.queue = queue;
    this.worker = worker;
    this.renewal = renewal;
  }

  static async start(task: PeriodicTask, { redis, logger }: BullMqSchedulerOptions): Promise<ScheduledTask> {
    const prefix = `{${redis.keyPrefix}:task-${task.name}}`;
    const log = (err: unknown) =>
      logger.warn({ err, task: task.name }, 'a periodic task, or Redis below it, failed; it is tried again');
    const queue = new Queue('ticks', { connection: redis.commands(), prefix });
    const worker = new Worker('ticks', () => task.run(), { connection: redis.worker(), prefix, concurrency: 1 });
    queue.on('error', log);
    worker.on('error', log);
    worker.on('failed', (_job, err) => log(err));
    const renew = () =>
      queue.upsertJobScheduler(task.name, { every: task.intervalMs }, { name: task.name, opts: jobOptions });
    await renew();
    const renewal = setInterval(() => void renew().catch(log), Math.max(task.intervalMs * 5, 10_000));
    return new ScheduledTask(queue, worker, renewal);
  }

  async stop(): Promise<void> {
    clearInterval(this.renewal);
    await this.worker.close();
    await this.queue.close();
  }
}
