export interface Repetition {
  /** Runs the task now, after the run that is under way. */
  now(): Promise<void>;
  /** No further runs; resolves when the one under way has ended. Safe to call twice. */
  stop(): Promise<void>;
}

/** Runs the task again and again, `intervalMs` between the end of a run and the start of the next. The task must not reject. */
export function repeat(intervalMs: number, task: () => Promise<void>): Repetition {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let last: Promise<void> = Promise.resolve();
  const run = (): Promise<void> => {
    last = last.then(async () => {
      if (stopped) return;
      clearTimeout(timer);
      await task();
      if (!stopped) timer = setTimeout(run, intervalMs);
    });
    return last;
  };
  timer = setTimeout(run, intervalMs);
  return {
    now: run,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await last;
    },
  };
}
