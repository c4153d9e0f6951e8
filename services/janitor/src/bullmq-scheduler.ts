import type { Logger } from '@tidemark/telemetry';
import type { RedisConnections } from '@tidemark/transport/redis';
import { Queue, Worker } from 'bullmq';
import type { PeriodicTask, Scheduled, Scheduler } from './scheduler.ts';

export interface BullMqSchedulerOptions {
  readonly redis: RedisConnections;
  readonly logger: Logger;
  /** How often the schedule is written again, ms; default 10,000. */
  readonly renewalMs?: number;
}

/** A tick that ran is of no interest; of those that failed a few, for whoever looks. */
const jobOptions = { removeOnComplete: true, removeOnFail: 20 } as const;
/** How long stop waits for Redis; unheard, BullMQ gives the tick to another janitor. */
const closeGraceMs = 2_000;
const retryMs = 1_000;
/** A Redis that is away fails every tick and every attempt to connect. */
const reportEveryMs = 10_000;
/** A janitor that died in the middle of a tick is noticed after some of these. */
const stalledCheckMs = 5_000;

/**
 * Job schedulers of BullMQ, one queue per task: Redis makes one job per tick, and of all janitors one gets it. A Redis that
 * comes back empty has forgotten the schedule, so every janitor renews it now and then. Does not wait for Redis: it may
 * come up later.
 */
export function createBullMqScheduler(options: BullMqSchedulerOptions): Scheduler {
  return { schedule: async (task) => new ScheduledTask(task, options) };
}

class ScheduledTask implements Scheduled {
  private readonly task: PeriodicTask;
  private readonly options: BullMqSchedulerOptions;
  private readonly queue: Queue;
  private readonly worker: TickWorker;
  private readonly atWork = new Set<Promise<void>>();
  private renewal: NodeJS.Timeout | undefined;
  private stopping: Promise<void> | undefined;
  private reportedAt = Number.NEGATIVE_INFINITY;

  constructor(task: PeriodicTask, options: BullMqSchedulerOptions) {
    const { redis } = options;
    const prefix = `{${redis.keyPrefix}:task-${task.name}}`;
    this.task = task;
    this.options = options;
    this.queue = new Queue('ticks', { connection: redis.commands(), prefix });
    this.worker = new TickWorker('ticks', () => this.tick(), {
      connection: redis.worker(),
      prefix,
      concurrency: 1,
      stalledInterval: stalledCheckMs,
    });
    this.queue.on('error', this.report);
    this.worker.on('error', this.report);
    this.worker.on('failed', (_job, error) => this.report(error));
    void this.renew();
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async tick(): Promise<void> {
    const run = this.task.run();
    this.atWork.add(run);
    await run.finally(() => this.atWork.delete(run));
  }

  private async renew(): Promise<void> {
    const { name, intervalMs } = this.task;
    let next = this.options.renewalMs ?? 10_000;
    try {
      await this.queue.upsertJobScheduler(name, { every: intervalMs }, { name, opts: jobOptions });
    } catch (error) {
      this.report(error);
      next = retryMs;
    }
    if (this.stopping === undefined) this.renewal = setTimeout(() => void this.renew(), next);
  }

  private async end(): Promise<void> {
    clearTimeout(this.renewal);
    const closed = this.worker.close().then(
      () => true,
      () => false,
    );
    await Promise.allSettled(this.atWork);
    if (!(await within(closeGraceMs, closed))) await this.worker.sever();
    await within(
      closeGraceMs,
      this.queue.close().then(
        () => true,
        () => false,
      ),
    );
  }

  private readonly report = (err: unknown): void => {
    const { logger } = this.options;
    if (performance.now() - this.reportedAt < reportEveryMs) return;
    this.reportedAt = performance.now();
    logger.warn({ err, task: this.task.name }, 'a periodic task, or Redis below it, failed; it is tried again');
  };
}

/** A worker whose close can be given up: BullMQ's own waits for Redis without end, and keeps its timers meanwhile. */
class TickWorker extends Worker<unknown, void> {
  async sever(): Promise<void> {
    await this.lockManager.close();
    // It never comes where the worker was not connected yet.
    const connecting = this.getBackend().blockingClient;
    const blocking = connecting && (await within(retryMs, connecting));
    if (blocking) blocking.disconnect();
  }
}

/** False when there is no answer in time, or none at all. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T | false> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const settled = answer.catch((): false => false);
  return Promise.race([settled, late]).finally(() => clearTimeout(timer));
}
