import type { Outcome } from '@tidemark/protocol';
import type { WriteJob, WriteReply } from '@tidemark/transport';
import { boundCurrents } from './reply-size.ts';

interface Settlement {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A job in the hands of the writer: collects its outcomes, then settles the delivery, once. */
export class PendingJob {
  readonly job: WriteJob;
  readonly changes: number;
  private readonly outcomes: Outcome[][];
  private readonly settlement: Settlement;
  private missing: number;
  private failed = false;

  constructor(job: WriteJob, settlement: Settlement) {
    this.job = job;
    this.settlement = settlement;
    this.outcomes = job.requests.map(() => []);
    this.changes = job.requests.reduce((sum, request) => sum + request.changes.length, 0);
    this.missing = this.changes;
  }

  get isFailed(): boolean {
    return this.failed;
  }

  get isComplete(): boolean {
    return this.missing === 0;
  }

  /** Outcomes of a request, from its change `offset` on. */
  answer(requestIndex: number, offset: number, outcomes: readonly Outcome[]): void {
    const answers = this.outcomes[requestIndex];
    if (answers === undefined) throw new Error('an answer to a request that the job does not have');
    for (const [index, outcome] of outcomes.entries()) answers[offset + index] = outcome;
    this.missing -= outcomes.length;
  }

  reply(): WriteReply {
    return { job: this.job.id, outcomes: boundCurrents(this.outcomes) };
  }

  /** The delivery is done. */
  finish(): void {
    this.settlement.resolve();
  }

  /** The job shall come again; what of it is committed is then recognised. */
  fail(error: unknown): void {
    if (this.failed || this.isComplete) return;
    this.failed = true;
    this.settlement.reject(error);
  }
}
