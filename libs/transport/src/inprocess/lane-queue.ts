import { SyncError } from '@tidemark/protocol';
import type { TransportLog } from '../log.ts';
import type { ConsumeOptions, Consumer, JobHandler, WriteJob } from '../port.ts';
import { redeliveryDelay } from '../redelivery.ts';

export interface LaneQueueSettings {
  readonly maxDepth: number;
  readonly retryAfterMs: number;
  readonly redeliveryDelayMs: number;
  readonly maxRedeliveryDelayMs: number;
  readonly log: TransportLog;
}

export interface LaneQueue {
  /** Throws SyncError `overloaded`. */
  add(job: WriteJob): void;
  consume(options: ConsumeOptions, handler: JobHandler): Consumer;
  /** Waiting, at work and waiting to be delivered again. */
  depth(): number;
  /** Ignores a consumer of another lane. */
  kill(consumer: Consumer): void;
  close(): Promise<void>;
}

interface Queued {
  readonly job: WriteJob;
  attempt: number;
}

interface Worker {
  readonly consumer: Consumer;
  readonly concurrency: number;
  readonly handler: JobHandler;
  readonly atWork: Set<Queued>;
  open: boolean;
  closing: Promise<void> | undefined;
  /** Resolves `closing` when the last job has settled. */
  idle: (() => void) | undefined;
}

export function createLaneQueue(settings: LaneQueueSettings): LaneQueue {
  return new MemoryLane(settings);
}

/**
 * Every job is in exactly one place: `waiting`, `delayed` or the `atWork` of one worker; it leaves only when a handler
 * resolved for it. `waiting` is a plain array: gateways keep one job in flight per lane, so it is short.
 */
class MemoryLane implements LaneQueue {
  private readonly settings: LaneQueueSettings;
  private readonly waiting: Queued[] = [];
  private readonly delayed = new Map<Queued, NodeJS.Timeout>();
  private readonly workers = new Set<Worker>();
  private pumpScheduled = false;

  constructor(settings: LaneQueueSettings) {
    this.settings = settings;
  }

  add(job: WriteJob): void {
    const { maxDepth, retryAfterMs } = this.settings;
    if (this.depth() >= maxDepth) {
      throw new SyncError('overloaded', `Lane ${job.lane} holds ${maxDepth} jobs.`, { retryAfterMs });
    }
    this.waiting.push({ job, attempt: 0 });
    this.schedulePump();
  }

  consume(options: ConsumeOptions, handler: JobHandler): Consumer {
    const worker: Worker = {
      consumer: { close: () => this.closeWorker(worker) },
      concurrency: options.concurrency,
      handler,
      atWork: new Set(),
      open: true,
      closing: undefined,
      idle: undefined,
    };
    this.workers.add(worker);
    this.schedulePump();
    return worker.consumer;
  }

  depth(): number {
    let depth = this.waiting.length + this.delayed.size;
    for (const worker of this.workers) depth += worker.atWork.size;
    return depth;
  }

  kill(consumer: Consumer): void {
    for (const worker of this.workers) {
      if (worker.consumer !== consumer) continue;
      this.workers.delete(worker);
      this.waiting.unshift(...worker.atWork);
      worker.atWork.clear();
      worker.open = false;
      worker.idle?.();
      this.schedulePump();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => this.closeWorker(worker)));
    for (const timer of this.delayed.values()) clearTimeout(timer);
    this.delayed.clear();
    this.waiting.length = 0;
  }

  private closeWorker(worker: Worker): Promise<void> {
    worker.open = false;
    if (worker.atWork.size === 0) {
      this.workers.delete(worker);
      return Promise.resolve();
    }
    worker.closing ??= new Promise<void>((resolve) => {
      worker.idle = resolve;
    });
    return worker.closing;
  }

  /** A microtask later, so that neither enqueue nor a settling handler calls a handler from within. */
  private schedulePump(): void {
    if (this.pumpScheduled || this.waiting.length === 0) return;
    this.pumpScheduled = true;
    // Not queueMicrotask: a test that fakes timers would fake it too.
    void Promise.resolve().then(this.pump);
  }

  private readonly pump = (): void => {
    this.pumpScheduled = false;
    for (const worker of this.workers) {
      while (worker.open && worker.atWork.size < worker.concurrency) {
        const next = this.waiting.shift();
        if (next === undefined) return;
        void this.deliver(worker, next);
      }
    }
  };

  private async deliver(worker: Worker, queued: Queued): Promise<void> {
    worker.atWork.add(queued);
    queued.attempt += 1;
    const { attempt } = queued;
    let failure: { readonly error: unknown } | undefined;
    try {
      await worker.handler(queued.job, { attempt });
    } catch (error) {
      failure = { error };
    }
    // A killed worker holds the job no more: another one answers for it.
    if (!worker.atWork.delete(queued)) return;
    if (failure !== undefined) this.deliverAgain(queued, failure.error);
    if (!worker.open && worker.atWork.size === 0) {
      this.workers.delete(worker);
      worker.idle?.();
    }
    this.schedulePump();
  }

  private deliverAgain(queued: Queued, error: unknown): void {
    const delayMs = redeliveryDelay(queued.attempt, this.settings);
    this.settings.log.warn(
      { err: error, job: queued.job.id, attempt: queued.attempt, delayMs },
      'job is delivered again',
    );
    const timer = setTimeout(() => {
      this.delayed.delete(queued);
      this.waiting.unshift(queued);
      this.schedulePump();
    }, delayMs);
    this.delayed.set(queued, timer);
  }
}
