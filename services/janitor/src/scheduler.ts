export interface PeriodicTask {
  /** Names the task among all, the same in every janitor. */
  readonly name: string;
  readonly intervalMs: number;
  /** May reject: the failure is logged and the next tick tries again. */
  readonly run: () => Promise<void>;
}

export interface Scheduled {
  /** No further ticks; resolves when the one under way has ended. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Runs tasks again and again. Of all janitors of a fleet one runs each tick; a tick that takes longer than the interval
 * delays the next. Tasks must bear to be run by two at once, which happens when a janitor is taken for dead.
 */
export interface Scheduler {
  schedule(task: PeriodicTask): Promise<Scheduled>;
}
