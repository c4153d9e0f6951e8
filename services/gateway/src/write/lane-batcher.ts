import { randomUUID } from 'node:crypto';
import {
  brandAs,
  type Change,
  type Epoch,
  type GatewayId,
  type JobId,
  type Lane,
  type Outcome,
  SyncError,
  type WriteRequest,
} from '@tidemark/protocol';
import type { Telemetry } from '@tidemark/telemetry';
import type { JobQueue, WriteJob, WriteReply } from '@tidemark/transport';
import { approximateJsonBytes } from '../approximate-json-bytes.ts';

export interface LaneBatcherOptions {
  readonly queue: JobQueue;
  readonly gateway: GatewayId;
  readonly epoch: Epoch;
  readonly lane: Lane;
  readonly telemetry: Telemetry;
  readonly settings: {
    /** Changes in one job; a single request may exceed it. */
    readonly maxJobChanges: number;
    /** Changes that may wait for the next job. */
    readonly maxWaitingChanges: number;
    readonly jobTimeoutMs: number;
  };
}

/** A job travels as one message and becomes one transaction: large documents make it end early. */
const maxJobBytes = 4 * 1024 * 1024;
/** However few the changes are, what waits for the next jobs is bounded too. */
const maxWaitingBytes = 64 * 1024 * 1024;

interface Waiting {
  readonly request: WriteRequest;
  readonly bytes: number;
  readonly answer: (outcomes: readonly Outcome[]) => void;
  readonly fail: (error: SyncError) => void;
}

interface Flight {
  readonly id: JobId;
  readonly waiting: readonly Waiting[];
  readonly timer: NodeJS.Timeout;
  readonly sentAt: number;
}

/**
 * Requests of one lane on their way to its writer: one job is in flight, what arrives meanwhile forms the next one. So there is
 * no delay at low load, large batches at high load, and requests stay in the order of their arrival.
 */
export class LaneBatcher {
  private readonly options: LaneBatcherOptions;
  private waiting: Waiting[] = [];
  private waitingChanges = 0;
  private waitingBytes = 0;
  private flight: Flight | undefined;
  private scheduled = false;

  constructor(options: LaneBatcherOptions) {
    this.options = options;
  }

  /** Requests that are not answered yet. */
  get pending(): number {
    return this.waiting.length + (this.flight?.waiting.length ?? 0);
  }

  /** The outcomes of the request's changes, in order. Throws SyncError `overloaded` or `unavailable`. */
  submit(request: WriteRequest): Promise<readonly Outcome[]> {
    if (this.waitingChanges >= this.options.settings.maxWaitingChanges || this.waitingBytes >= maxWaitingBytes) {
      return Promise.reject(
        new SyncError('overloaded', 'too many changes wait for the writer', { retryAfterMs: 1_000 }),
      );
    }
    return new Promise((answer, fail) => {
      const bytes = bytesOf(request);
      this.waiting.push({ request, bytes, answer, fail });
      this.waitingChanges += request.changes.length;
      this.waitingBytes += bytes;
      this.schedule();
    });
  }

  /** A reply from a writer; false when it is not for the job in flight. */
  accept(reply: WriteReply): boolean {
    const { flight } = this;
    if (flight === undefined || flight.id !== reply.job) return false;
    this.land(flight);
    this.options.telemetry.metrics.stageSeconds.queue.observe((performance.now() - flight.sentAt) / 1_000);
    flight.waiting.forEach((waiting, index) => {
      const outcomes = reply.outcomes[index];
      if (outcomes !== undefined) waiting.answer(outcomes);
      else waiting.fail(new SyncError('internal', 'the writer did not answer this change'));
    });
    return true;
  }

  /** Fails what is not answered yet, since no reply will be heard any more; leaves no timer behind. */
  stop(): void {
    const { flight } = this;
    clearTimeout(flight?.timer);
    this.flight = undefined;
    const left = [...(flight?.waiting ?? []), ...this.waiting.splice(0)];
    this.waitingChanges = 0;
    this.waitingBytes = 0;
    for (const waiting of left) waiting.fail(stopping());
  }

  /** What one turn of the event loop brings goes into one job. */
  private schedule(): void {
    if (this.scheduled || this.flight !== undefined || this.waiting.length === 0) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.flight === undefined) this.takeOff();
    });
  }

  private takeOff(): void {
    const waiting = this.nextBatch();
    if (waiting.length === 0) return;
    const { gateway, epoch, lane, queue, settings } = this.options;
    const id = brandAs<JobId>(randomUUID());
    const job: WriteJob = { id, gateway, epoch, lane, requests: waiting.map((one) => one.request) };
    const timer = setTimeout(() => this.giveUp(id, timedOut()), settings.jobTimeoutMs);
    this.flight = { id, waiting, timer, sentAt: performance.now() };
    queue.enqueue(job).catch((error: unknown) => this.giveUp(id, asRefusal(error)));
  }

  private nextBatch(): Waiting[] {
    const { maxJobChanges } = this.options.settings;
    let changes = 0;
    let bytes = 0;
    let count = 0;
    for (const waiting of this.waiting) {
      const isFull = changes + waiting.request.changes.length > maxJobChanges || bytes + waiting.bytes > maxJobBytes;
      if (count > 0 && isFull) break;
      changes += waiting.request.changes.length;
      bytes += waiting.bytes;
      count++;
    }
    this.waitingChanges -= changes;
    this.waitingBytes -= bytes;
    return this.waiting.splice(0, count);
  }

  private giveUp(id: JobId, error: SyncError): void {
    const { flight } = this;
    if (flight?.id !== id) return;
    this.options.telemetry.metrics.jobs.timeout.inc();
    this.land(flight);
    for (const waiting of flight.waiting) waiting.fail(error);
  }

  private land(flight: Flight): void {
    clearTimeout(flight.timer);
    this.flight = undefined;
    this.schedule();
  }
}

function bytesOf({ changes, emitTo = [] }: WriteRequest): number {
  const ofChanges = ({ data, unset }: Change) => approximateJsonBytes(data) + approximateJsonBytes(unset);
  return changes.reduce((bytes, change) => bytes + ofChanges(change), approximateJsonBytes(emitTo));
}

function timedOut(): SyncError {
  return new SyncError('unavailable', 'the writer did not answer in time; send the change again with the same id', {
    retryAfterMs: 1_000,
  });
}

function stopping(): SyncError {
  return new SyncError('unavailable', 'the server is stopping; send the change again with the same id', {
    retryAfterMs: 1_000,
  });
}

function asRefusal(error: unknown): SyncError {
  if (SyncError.is(error)) return error;
  return new SyncError('unavailable', 'the queue does not take changes now', { retryAfterMs: 1_000, cause: error });
}
