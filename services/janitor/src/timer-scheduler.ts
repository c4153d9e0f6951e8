import type { Logger } from '@tidemark/telemetry';
import type { Leases } from '@tidemark/transport';
import { createElection, type Election } from './election.ts';
import type { PeriodicTask, Scheduled, Scheduler } from './scheduler.ts';

export interface TimerSchedulerOptions {
  readonly logger: Logger;
  /** Where there are other janitors: tasks run only in the one that is elected. */
  readonly election?: { readonly leases: Leases; readonly holder: string };
}

/** A janitor that misses this many ticks of a task is replaced in it. */
const ticksPerLease = 5;

/** Timers of this process. The first tick of a task comes at once. */
export function createTimerScheduler({ logger, election }: TimerSchedulerOptions): Scheduler {
  return {
    async schedule(task) {
      const elected =
        election &&
        createElection({ ...election, name: `janitor:${task.name}`, ttlMs: ticksPerLease * task.intervalMs });
      return new TimedTask(task, logger, elected);
    },
  };
}

class TimedTask implements Scheduled {
  private readonly task: PeriodicTask;
  private readonly logger: Logger;
  private readonly election: Election | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private current: Promise<void>;

  constructor(task: PeriodicTask, logger: Logger, election: Election | undefined) {
    this.task = task;
    this.logger = logger;
    this.election = election;
    this.current = this.tick();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.current;
    await this.attempt(async () => this.election?.resign());
  }

  private async tick(): Promise<void> {
    await this.attempt(async () => {
      if (this.election === undefined || (await this.election.isElected())) await this.task.run();
    });
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.current = this.tick();
    }, this.task.intervalMs);
  }

  private async attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.logger.warn({ err: error, task: this.task.name }, 'a periodic task failed; the next tick tries again');
    }
  }
}
