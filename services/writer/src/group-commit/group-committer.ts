import type { Lane, Outcome } from '@tidemark/protocol';
import {
  type CommitPlan,
  type CommitStore,
  type History,
  type Snapshot,
  StoreError,
  type TransactionRequest,
} from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { Bus, Delivery, WriteJob } from '@tidemark/transport';
import type { WriteRules } from '../decide/index.ts';
import { countJob, countOutcomes, logFaults, logPoison } from './observe.ts';
import { Outbox, publishOutbox } from './outbox.ts';
import { PendingJob } from './pending-job.ts';
import { assertBearable } from './plan-size.ts';
import { type Planned, planUnits } from './plan-units.ts';
import { endsService, faultOfChange } from './store-fault.ts';
import { cutUnit, halve, type Unit, unitsOf } from './unit.ts';

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

/** A lane that the writer serves, by which lease. */
export interface LaneTenure {
  readonly lane: Lane;
  readonly token: number;
  /** Called once, when the store says that the lane is another's. */
  readonly onLost: (error: unknown) => void;
}

/** Where the jobs of a lane come in. */
export interface LaneSeat {
  /** Resolves when the job is committed and answered; rejects when it shall come again. */
  submit(job: WriteJob, delivery: Delivery): Promise<void>;
}

/** A seat that is taken. `lostBy` is set when the lane is another's. */
interface Seat {
  readonly tenure: LaneTenure;
  lostBy?: unknown;
}

interface Seated {
  readonly seat: Seat;
  readonly unit: Unit;
}

/**
 * The group commit of a writer: all that waits, in whichever of its lanes, is committed in one transaction, while what arrives
 * meanwhile forms the next. The cost of a transaction is mostly its own, so few large ones carry more than one per lane.
 * Bounded by what the queue hands out at once.
 */
export class GroupCommitter {
  private readonly deps: CommitterDeps;
  private readonly layout: { readonly epoch: History['epochs'][number]['epoch']; readonly lanes: number };
  private waiting: Seated[] = [];
  private atWork: readonly Seated[] = [];
  private running = false;
  private publishing: Promise<void> = Promise.resolve();

  constructor(deps: CommitterDeps) {
    const layout = deps.store.history.epochs.at(-1);
    if (layout === undefined) throw new Error('a history without an epoch');
    this.deps = deps;
    this.layout = layout;
  }

  /** Whether the lane is about to move by itself. */
  isBusyIn(lane: Lane): boolean {
    const touches = ({ unit }: Seated) => unit.items.some((item) => item.lane === lane);
    return this.atWork.some(touches) || this.waiting.some(touches);
  }

  /** Opens the way for the jobs of a lane. */
  seat(tenure: LaneTenure): LaneSeat {
    const seat: Seat = { tenure };
    return { submit: (job, delivery) => this.submit(seat, job, delivery) };
  }

  private submit(seat: Seat, job: WriteJob, delivery: Delivery): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending = new PendingJob(job, { resolve, reject });
      countJob(this.deps.telemetry, pending, delivery);
      if (seat.lostBy !== undefined) return reject(seat.lostBy);
      if (pending.isComplete) return resolve();
      for (const unit of unitsOf(pending, this.layout.lanes)) this.waiting.push({ seat, unit });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    // Jobs that arrive in one tick are committed together.
    await undefined;
    while (this.waiting.length > 0) {
      this.atWork = this.takeGroup();
      const outbox = await this.commitGroup(this.atWork);
      this.atWork = [];
      await this.publishing;
      this.publishing = this.publish(outbox);
    }
    this.running = false;
  }

  private takeGroup(): readonly Seated[] {
    const { maxTransactionChanges: max } = this.deps.settings;
    const group: Seated[] = [];
    let changes = 0;
    let taken = 0;
    for (const seated of this.waiting) {
      const { unit } = seated;
      if (!unit.job.isFailed) {
        if (group.length > 0 && changes + unit.items.length > max) break;
        group.push(seated);
        changes += unit.items.length;
      }
      taken++;
    }
    this.waiting = this.waiting.slice(taken);
    const [only] = group;
    const parts = only && group.length === 1 ? cutUnit(only.unit, max) : undefined;
    if (only === undefined || parts === undefined) return group;
    this.waiting.unshift({ seat: only.seat, unit: parts[1] });
    return [{ seat: only.seat, unit: parts[0] }];
  }

  private async commitGroup(group: readonly Seated[]): Promise<Outbox> {
    const outbox = new Outbox(this.layout.epoch);
    try {
      if (group.length > 0) await this.commitOrNarrow(group, outbox);
    } catch (error) {
      this.fail(group, error);
    }
    return outbox;
  }

  /** A failure that one change causes is narrowed down to it by halving; the others are committed in their order. */
  private async commitOrNarrow(units: readonly Seated[], outbox: Outbox): Promise<void> {
    try {
      await this.commit(units, outbox);
    } catch (error) {
      const fault = faultOfChange(error);
      if (fault === undefined) throw error;
      const halves = halve(units, cutSeated);
      if (halves === undefined)
        return this.poison(
          units.map((seated) => seated.unit),
          { error, fault, outbox },
        );
      await this.commitOrNarrow(halves[0], outbox);
      await this.commitOrNarrow(halves[1], outbox);
    }
  }

  private async commit(group: readonly Seated[], outbox: Outbox): Promise<void> {
    const units = group.map((seated) => seated.unit);
    const { store, telemetry } = this.deps;
    const started = performance.now();
    let plan: CommitPlan | undefined;
    let decideMs = 0;
    const planned = await store.transact(this.requestFor(group), (snapshot) => {
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
    const { epoch } = this.layout;
    const decided = planUnits(units, snapshot, { now: now(), epoch, rules, maxClockSkewMs, optimisticLocking });
    assertBearable(decided.plan);
    return decided;
  }

  private requestFor(group: readonly Seated[]): TransactionRequest {
    const lanes = new Set<Lane>();
    const tokens = new Map<Lane, number>();
    const documents = new Map<string, Unit['items'][number]['change']>();
    const changes = new Map<string, Unit['items'][number]['ref']>();
    for (const { seat, unit } of group) {
      const { lane, token } = seat.tenure;
      // A job of an older layout may wait in a lane that is no more; its changes have their lanes in today's.
      if (lane < this.layout.lanes) {
        lanes.add(lane);
        tokens.set(lane, token);
      }
      for (const item of unit.items) {
        lanes.add(item.lane);
        // What is done first to a document tells whether it is there.
        if (!documents.has(item.documentKey)) documents.set(item.documentKey, item.change);
        changes.set(item.changeKey, item.ref);
      }
    }
    const firsts = [...documents.values()];
    return {
      epoch: this.layout.epoch,
      lanes: [...lanes].sort((a, b) => a - b),
      fences: [...tokens].map(([lane, token]) => ({ lane, token })),
      documents: firsts,
      expectedNew: firsts.filter(({ operation }) => operation === 'insert'),
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

  /** What was not committed comes again, except that a lost lane does not take the others' work with it. */
  private fail(group: readonly Seated[], error: unknown): void {
    const lost = lostSeats(group, error);
    const isOfOthers = ({ seat }: Seated) => StoreError.is(error, 'fenced') && lost.size > 0 && !lost.has(seat);
    const others = group.filter(isOfOthers);
    const failed = group.filter((seated) => !isOfOthers(seated));
    const { logger } = this.deps.telemetry;
    const lanes = [...new Set(failed.map(({ seat }) => seat.tenure.lane))];
    logger.warn({ err: error, lanes }, 'a group of changes was not committed; its jobs come again');
    for (const { unit } of failed) unit.job.fail(error);
    this.waiting = [...others, ...this.waiting];
    for (const seat of lost) this.lose(seat, error);
  }

  private lose(seat: Seat, error: unknown): void {
    if (seat.lostBy !== undefined) return;
    seat.lostBy = error;
    for (const { seat: of, unit } of this.waiting) if (of === seat) unit.job.fail(error);
    this.waiting = this.waiting.filter((waiting) => waiting.seat !== seat);
    seat.tenure.onLost(error);
  }

  private async publish(outbox: Outbox): Promise<void> {
    const { bus, telemetry, settings } = this.deps;
    const started = performance.now();
    const onFailure = (error: unknown, what: 'feed' | 'reply') =>
      telemetry.logger.warn({ err: error, what }, 'the news of a commit was not published');
    await publishOutbox(outbox, { bus, timeoutMs: settings.publishTimeoutMs, onFailure });
    telemetry.metrics.stageSeconds.publish.observe((performance.now() - started) / 1_000);
    for (const feed of outbox.feeds) telemetry.metrics.laneHead(feed.lane).set(feed.head);
    for (const job of outbox.jobs) job.finish();
    telemetry.metrics.jobs.done.inc(outbox.jobs.length);
  }
}

/** The seats in the group that the error ends: the one whose lane it names, or all. */
function lostSeats(group: readonly Seated[], error: unknown): ReadonlySet<Seat> {
  if (!endsService(error)) return new Set();
  const seats = new Set(group.map(({ seat }) => seat));
  const named = [...seats].filter((seat) => StoreError.is(error, 'fenced') && seat.tenure.lane === error.lane);
  return named.length > 0 ? new Set(named) : seats;
}

function cutSeated({ seat, unit }: Seated): readonly [Seated, Seated] | undefined {
  const parts = cutUnit(unit, unit.items.length >> 1);
  return (
    parts && [
      { seat, unit: parts[0] },
      { seat, unit: parts[1] },
    ]
  );
}
