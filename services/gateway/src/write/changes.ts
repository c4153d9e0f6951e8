import {
  type Author,
  brandAs,
  type Change,
  type GatewayId,
  type Lane,
  laneOf,
  type Outcome,
  type SocketId,
  type UserId,
  type WriteRequest,
} from '@tidemark/protocol';
import type { LaneEpoch } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { Bus, JobQueue, Unsubscribe, WriteReply } from '@tidemark/transport';
import { LaneBatcher, type LaneBatcherOptions } from './lane-batcher.ts';

export interface ChangesDeps {
  readonly queue: JobQueue;
  readonly bus: Bus;
  readonly gateway: GatewayId;
  readonly epoch: LaneEpoch;
  readonly telemetry: Telemetry;
  readonly settings: LaneBatcherOptions['settings'];
}

/** Changes of one author that came together. */
export interface Submission {
  readonly author: Author;
  readonly origin: SocketId | undefined;
  readonly atomic: boolean;
  readonly emitTo?: readonly UserId[];
  readonly changes: readonly Change[];
}

/** A change that was not decided has the error in its place. */
export type SubmissionResult = Outcome | Error;

/** The gateway's way to the writers. */
export class Changes {
  private readonly lanes: readonly LaneBatcher[];
  private readonly deps: ChangesDeps;
  private unsubscribe: Unsubscribe | undefined;

  constructor(deps: ChangesDeps) {
    this.deps = deps;
    const { epoch } = deps.epoch;
    this.lanes = Array.from(
      { length: deps.epoch.lanes },
      (_, lane) => new LaneBatcher({ ...deps, epoch, lane: brandAs<Lane>(lane) }),
    );
  }

  async start(): Promise<void> {
    this.unsubscribe = await this.deps.bus.subscribeReplies(this.deps.gateway, (reply) => this.receive(reply));
  }

  async stop(): Promise<void> {
    await this.unsubscribe?.();
    for (const lane of this.lanes) lane.stop();
  }

  get pending(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.pending, 0);
  }

  /** One result per change, in order. Never rejects: what could not be decided carries its error. */
  submit(submission: Submission): Promise<readonly SubmissionResult[]> {
    const lanes = submission.changes.map((change) => laneOf(change.collection, change.key, this.lanes.length));
    if (submission.atomic) return this.send(Math.min(...lanes), submission, submission.changes);
    const [first] = lanes;
    if (first !== undefined && lanes.every((lane) => lane === first))
      return this.send(first, submission, submission.changes);
    return this.spread(submission, lanes);
  }

  private async spread(submission: Submission, lanes: readonly Lane[]): Promise<readonly SubmissionResult[]> {
    const results = new Array<SubmissionResult>(lanes.length);
    const used = [...new Set(lanes)];
    const parts = used.map(async (lane) => {
      const places = [...lanes.keys()].filter((index) => lanes[index] === lane);
      const changes = submission.changes.filter((_, index) => lanes[index] === lane);
      const outcomes = await this.send(lane, submission, changes);
      places.forEach((place, index) => {
        results[place] = outcomes[index] ?? new Error('no outcome');
      });
    });
    await Promise.all(parts);
    return results;
  }

  private async send(
    lane: number,
    submission: Submission,
    changes: readonly Change[],
  ): Promise<readonly SubmissionResult[]> {
    const { author, origin, atomic, emitTo } = submission;
    const request: WriteRequest = { author, origin, atomic, emitTo, changes };
    const batcher = this.lanes[lane];
    if (batcher === undefined) throw new Error(`no lane ${lane}`);
    try {
      return await batcher.submit(request);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      return changes.map(() => failure);
    }
  }

  private receive(reply: WriteReply): void {
    this.lanes.some((lane) => lane.accept(reply));
  }
}
