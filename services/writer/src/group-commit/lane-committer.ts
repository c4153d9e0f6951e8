import type { Lane, Outcome } from '@tidemark/protocol';
import type { CommitPlan, CommitStore, History, Snapshot, TransactionRequest } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { Bus, Delivery, WriteJob } from '@tidemark/transport';
import type { WriteRules } from '../decide/index.ts';
import { countJob, countOutcomes, logFaults, logPoison } from './observe.ts';
import { Outbox, publishOutbox } from './outbox.ts';
import { PendingJob } from './pending-job.ts';
import { type Planned, planUnits } from './plan-units.ts';
import { endsService, faultOfChange } from './store-fault.ts';
import { cutUnit, halveUnits, type Unit, unitsOf } from './unit.ts';

export interface CommitterSettings {
  readonly maxClockSkewMs: number;
  readonly optimisticLocking: boolean;
  /** Changes of one transaction; an atomic request may exceed it. */
  readonly maxTransactionChanges: number;
  /** How long the news of a commit may hold up the next one. */
  readonly publishTimeoutMs: number;
}

export interface CommitterDeps {
  readonly store: CommitStore & { readonly history: History };
  readonly bus: Bus;
  readonly rules: WriteRules;
  readonly telemetry: Telemetry;
  readonly settings: CommitterSettings;
  readonly now: () => number;
}

/** The lane that a committer serves, by which lease. */
export interface LaneTenure {
  readonly lane: Lane;
  readonly token: number;
  /** Called once, when the store says that the lane is another's. */
  readonly onLost: (error: unknown) => void;
}

/**
 * The group commit of one lane: all that waits is committed in one transaction, while what arrives meanwhile forms the next.
 * Bounded by what the queue hands out at once.
 */
export class LaneCommitter {
  private readonly deps: CommitterDeps;
  private readonly tenure: LaneTenure;
  private readonly layout: { readonly epoch: History['epochs'][number]['epoch']; readonly lanes: number };
  private waiting: Unit[] = [];
  private running = false;
  private lostBy: unknown;
  private publishing: Promise<void> = Promise.resolve();

  constructor(deps: CommitterDeps, tenure: LaneTenure) {
    const layout = deps.store.history.epochs.at(-1);
    if (layout === undefined) throw new Error('a history without an epoch');
    this.deps = deps;
    this.tenure = tenure;
    this.layout = layout;
  }

  /** Whether news of the lane is about to be published. */
  get isBusy(): boolean {
    return this.running;
  }

  /** Resolves when the job is committed and answered; rejects when it shall come again. */
  submit(job: WriteJob, delivery: Delivery): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending = new PendingJob(job, { resolve, reject });
      countJob(this.deps.telemetry, pending, delivery);
      if (this.lostBy !== undefined) return reject(this.lostBy);
      if (pending.isComplete) return resolve();
      this.waiting.push(...unitsOf(pending, this.layout.lanes));
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    // Jobs that arrive in one tick are committed together.
    await undefined;
    while (this.waiting.length > 0) {
      const outbox = await this.commitGroup(this.takeGroup());
      await this.publishing;
      this.publishing = this.publish(outbox);
    }
    this.running = false;
  }

  private takeGroup(): readonly Unit[] {
    const { maxTransactionChanges: max } = this.deps.settings;
    const group: Unit[] = [];
    let changes = 0;
    let taken = 0;
    for (const unit of this.waiting) {
      if (!unit.job.isFailed) {
        if (group.length > 0 && changes + unit.items.length > max) break;
        group.push(unit);
        changes += unit.items.length;
      }
      taken++;
    }
    this.waiting = this.waiting.slice(taken);
    const [only] = group;
    const parts = only && group.length === 1 ? cutUnit(only, max) : undefined;
    if (parts === undefined) return group;
    this.waiting.unshift(parts[1]);
    return [parts[0]];
  }

  private async commitGroup(group: readonly Unit[]): Promise<Outbox> {
    const outbox = new Outbox(this.layout.epoch);
    try {
      if (group.length > 0) await this.commitOrNarrow(group, outbox);
    } catch (error) {
      this.fail(group, error);
    }
    return outbox;
  }

  /** A failure that one change causes is narrowed down to it by halving; the others are committed in their order. */
  private async commitOrNarrow(units: readonly Unit[], outbox: Outbox): Promise<void> {
    try {
      await this.commit(units, outbox);
    } catch (error) {
      const fault = faultOfChange(error);
      if (fault === undefined) throw error;
      const halves = halveUnits(units);
      if (halves === undefined) return this.poison(units, { error, fault, outbox });
      await this.commitOrNarrow(halves[0], outbox);
      await this.commitOrNarrow(halves[1], outbox);
    }
  }

  private async commit(units: readonly Unit[], outbox: Outbox): Promise<void> {
    const { store, telemetry } = this.deps;
    const started = performance.now();
    let plan: CommitPlan | undefined;
    let decideMs = 0;
    const planned = await store.transact(this.requestFor(units), (snapshot) => {
      const begun = performance.now();
      const decided = this.decide(units, snapshot);
      plan = decided.plan;
      decideMs += performance.now() - begun;
      return decided;
    });
    telemetry.metrics.stageSeconds.decide.observe(decideMs / 1_000);
    telemetry.metrics.stageSeconds.commit.observe((performance.now() - started - decideMs) / 1_000);
    outbox.addEntries(plan?.entries ?? []);
    logFaults(telemetry, planned.faults);
    this.answer(units, planned.outcomes, outbox);
  }

  private decide(units: readonly Unit[], snapshot: Snapshot): { plan: CommitPlan; result: Planned } {
    const { rules, settings, now } = this.deps;
    const { maxClockSkewMs, optimisticLocking } = settings;
    return planUnits(units, snapshot, {
      now: now(),
      epoch: this.layout.epoch,
      rules,
      maxClockSkewMs,
      optimisticLocking,
    });
  }

  private requestFor(units: readonly Unit[]): TransactionRequest {
    const { lane, token } = this.tenure;
    const lanes = new Set<Lane>();
    const documents = new Map<string, Unit['items'][number]['change']>();
    const changes = new Map<string, Unit['items'][number]['ref']>();
    // A job of an older layout may wait in a lane that is no more; its changes have their lanes in today's.
    const isOfLayout = lane < this.layout.lanes;
    if (isOfLayout) lanes.add(lane);
    for (const unit of units) {
      for (const item of unit.items) {
        lanes.add(item.lane);
        documents.set(item.documentKey, item.change);
        changes.set(item.changeKey, item.ref);
      }
    }
    return {
      epoch: this.layout.epoch,
      lanes: [...lanes].sort((a, b) => a - b),
      ...(isOfLayout && { fence: { lane, token } }),
      documents: [...documents.values()],
      changes: [...changes.values()],
    };
  }

  private poison(
    units: readonly Unit[],
    { error, fault, outbox }: { error: unknown; fault: NonNullable<ReturnType<typeof faultOfChange>>; outbox: Outbox },
  ): void {
    const { telemetry, now } = this.deps;
    logPoison(telemetry, units, error);
    const timestamp = now();
    const rejected = units.map((unit) =>
      unit.items.map(({ change }): Outcome => ({ kind: 'rejected', changeId: change.id, timestamp, ...fault })),
    );
    this.answer(units, rejected, outbox);
  }

  private answer(units: readonly Unit[], outcomes: readonly (readonly Outcome[])[], outbox: Outbox): void {
    for (const [index, unit] of units.entries()) {
      const own = outcomes[index] ?? [];
      countOutcomes(this.deps.telemetry, own);
      unit.job.answer(unit.requestIndex, unit.offset, own);
      outbox.addJob(unit.job);
    }
  }

  private fail(group: readonly Unit[], error: unknown): void {
    const { logger } = this.deps.telemetry;
    logger.warn({ err: error, lane: this.tenure.lane }, 'a group of changes was not committed; its jobs come again');
    for (const unit of group) unit.job.fail(error);
    if (!endsService(error)) return;
    for (const unit of this.waiting) unit.job.fail(error);
    this.waiting = [];
    if (this.lostBy !== undefined) return;
    this.lostBy = error;
    this.tenure.onLost(error);
  }

  private async publish(outbox: Outbox): Promise<void> {
    const { bus, telemetry, settings } = this.deps;
    const started = performance.now();
    const onFailure = (error: unknown, what: 'feed' | 'reply') =>
      telemetry.logger.warn({ err: error, lane: this.tenure.lane, what }, 'the news of a commit was not published');
    await publishOutbox(outbox, { bus, timeoutMs: settings.publishTimeoutMs, onFailure });
    telemetry.metrics.stageSeconds.publish.observe((performance.now() - started) / 1_000);
    for (const feed of outbox.feeds) telemetry.metrics.laneHead(feed.lane).set(feed.head);
    for (const job of outbox.jobs) job.finish();
    telemetry.metrics.jobs.done.inc(outbox.jobs.length);
  }
}
