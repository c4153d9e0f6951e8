/** Something that runs. Both are safe to call twice, and `stop` also without `drain` before it. */
export interface Service {
  /** Takes nothing new and finishes what was taken; user-facing parts first. */
  drain(): Promise<void>;
  /** Lets go of everything: sockets, timers, connections. */
  stop(): Promise<void>;
}

/** What of `process` is used. */
export interface ProcessEvents {
  on(event: string, listener: (value: unknown) => void): unknown;
  off(event: string, listener: (value: unknown) => void): unknown;
}

export interface LifeCycleLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
}

export interface RunOptions {
  readonly process: ProcessEvents;
  readonly logger: LifeCycleLogger;
  /** Longest time for `drain`, and again for `stop`, in ms. */
  readonly drainTimeoutMs: number;
}

/**
 * Waits for SIGTERM or SIGINT, drains, stops, and resolves with the exit code for `process.exit`. Never rejects.
 * 0: stopped cleanly (also when the drain took too long). 1: stopping failed or hung, or an error that nobody caught came up; then it
 * resolves at once, because what the process would still do is no longer known. 128 + signal: a second signal, at once.
 */
export function runUntilSignal(service: Service, options: RunOptions): Promise<number> {
  const { process, logger } = options;
  return new Promise((resolve) => {
    const left = new AbortController();
    let stopping = false;
    const end = (code: number): void => {
      left.abort();
      for (const [event, listener] of listeners) process.off(event, listener);
      resolve(code);
    };
    const onSignal = (signal: keyof typeof signalNumbers) => (): void => {
      if (stopping) {
        logger.warn({ signal }, 'second signal: leaving at once');
        end(128 + signalNumbers[signal]);
        return;
      }
      stopping = true;
      logger.info({ signal }, 'stopping');
      void shutDown(service, options, left.signal).then(end);
    };
    const onFatal =
      (event: string) =>
      (error: unknown): void => {
        logger.fatal({ err: error, event }, 'an error that nobody caught: leaving');
        end(1);
      };
    const listeners: ReadonlyArray<readonly [string, (value: unknown) => void]> = [
      ['SIGTERM', onSignal('SIGTERM')],
      ['SIGINT', onSignal('SIGINT')],
      ['uncaughtException', onFatal('uncaughtException')],
      ['unhandledRejection', onFatal('unhandledRejection')],
    ];
    for (const [event, listener] of listeners) process.on(event, listener);
  });
}

const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;

async function shutDown(service: Service, options: RunOptions, left: AbortSignal): Promise<number> {
  const { logger, drainTimeoutMs } = options;
  const limits = { timeoutMs: drainTimeoutMs, left };
  const drained = await bounded(() => service.drain(), limits);
  if (left.aborted) return 1;
  if (!drained.done) logger.warn({ err: drained.error, drainTimeoutMs }, 'not everything was drained');
  const stopped = await bounded(() => service.stop(), limits);
  if (left.aborted) return 1;
  if (!stopped.done) logger.fatal({ err: stopped.error, drainTimeoutMs }, 'could not stop cleanly');
  else logger.info({}, 'stopped');
  return stopped.done ? 0 : 1;
}

interface Result {
  readonly done: boolean;
  /** Missing when the time was up. */
  readonly error?: unknown;
}

interface Limits {
  readonly timeoutMs: number;
  /** Aborts when nobody waits any more; then no timer may stay behind. */
  readonly left: AbortSignal;
}

function bounded(action: () => Promise<void>, limits: Limits): Promise<Result> {
  return new Promise((resolve) => {
    const end = (result: Result): void => {
      clearTimeout(timer);
      limits.left.removeEventListener('abort', giveUp);
      resolve(result);
    };
    const giveUp = (): void => end({ done: false });
    const timer = setTimeout(giveUp, limits.timeoutMs);
    limits.left.addEventListener('abort', giveUp);
    Promise.resolve()
      .then(action)
      .then(
        () => end({ done: true }),
        (error: unknown) => end({ done: false, error }),
      );
  });
}

/** Makes an action safe to call twice: later calls get the promise of the first. */
export function once<T>(action: () => Promise<T>): () => Promise<T> {
  let first: Promise<T> | undefined;
  return () => {
    first ??= action();
    return first;
  };
}
