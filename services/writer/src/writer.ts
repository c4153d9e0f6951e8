import { brandAs, type Lane, SyncError } from '@tidemark/protocol';
import { type CommitStore, type History, type LaneEpoch, StoreError } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { Bus, JobQueue, Leases } from '@tidemark/transport';
import type { WriteRules } from './decide/index.ts';
import { type CommitterDeps, GroupCommitter } from './group-commit/index.ts';
import { beat, LaneKeeper, type LaneService, type ServeOptions } from './lane-keeper/index.ts';
import { type Repetition, repeat } from './repeat.ts';
import { withinTime } from './within-time.ts';

export interface WriterSettings {
  /** Names this writer among all, and differs after every start. */
  readonly holder: string;
  /** A timestamp further ahead of the server's clock is clamped. */
  readonly maxClockSkewMs: number;
  readonly optimisticLocking: boolean;
  readonly leaseTtlMs: number;
  readonly heartbeatMs: number;
  /** Jobs of one lane in hand at once. Default 32. */
  readonly concurrency?: number;
  /** Changes of one transaction; only an atomic request may exceed it. Default 1,000. */
  readonly maxTransactionChanges?: number;
  /** How long the news of a commit may hold up the next one. Default 2,000. */
  readonly publishTimeoutMs?: number;
}

export interface WriterDeps {
  readonly store: CommitStore & { readonly history: History };
  readonly queue: JobQueue;
  readonly bus: Bus;
  readonly leases: Leases;
  readonly rules: WriteRules;
  readonly telemetry: Telemetry;
  readonly settings: WriterSettings;
  /** Milliseconds since 1970; default Date.now. */
  readonly now?: () => number;
}

export interface Writer {
  /** Serves until stopped; rejects when the store's layout of lanes has changed, then the process has to start anew. */
  run(): Promise<void>;
  /** Takes no more jobs, ends those in hand, hands its lanes over. Safe to call twice. */
  drain(): Promise<void>;
  /** Drains, then `run` resolves. Safe to call twice. */
  stop(): Promise<void>;
  /** Throws SyncError `unavailable` when it does not run, or serves none of the lanes that it should. */
  ready(): Promise<void>;
}

const defaults = { concurrency: 32, maxTransactionChanges: 1_000, publishTimeoutMs: 2_000 };
/** Ticks per life of a lease: one may fail without the lease being lost. */
const ticksPerLease = 3;

export function createWriter(deps: WriterDeps): Writer {
  return new LaneWriter(deps);
}

class LaneWriter implements Writer {
  private readonly deps: WriterDeps;
  private readonly settings: WriterSettings & typeof defaults;
  private readonly layout: LaneEpoch;
  private readonly keeper: LaneKeeper;
  private readonly committer: GroupCommitter;
  private readonly served = new Set<Lane>();
  private repetitions: readonly Repetition[] = [];
  private running: Promise<void> | undefined;
  private draining: Promise<void> | undefined;
  private readonly ended: Ending = { resolve: () => {}, reject: () => {} };

  constructor(deps: WriterDeps) {
    const { history } = deps.store;
    this.deps = deps;
    this.settings = { ...defaults, ...deps.settings };
    this.layout = currentLayout(history);
    this.committer = new GroupCommitter(this.committerDeps());
    this.keeper = new LaneKeeper({
      leases: deps.leases,
      holder: this.settings.holder,
      leaseTtlMs: this.settings.leaseTtlMs,
      lanes: queuedLanes(history),
      logger: deps.telemetry.logger,
      serve: (lane, options) => this.serve(lane, options),
    });
  }

  run(): Promise<void> {
    this.running ??= new Promise<void>((resolve, reject) => {
      Object.assign(this.ended, { resolve, reject });
      if (this.draining !== undefined) return resolve();
      const tick = repeat(this.settings.leaseTtlMs / ticksPerLease, () => this.keeper.tick());
      const heartbeat = repeat(this.settings.heartbeatMs, () => this.beat());
      this.repetitions = [tick, heartbeat];
      void tick.now().then(() => heartbeat.now());
    });
    return this.running;
  }

  drain(): Promise<void> {
    this.draining ??= this.giveUp();
    return this.draining;
  }

  async stop(): Promise<void> {
    await this.drain();
    this.ended.resolve();
  }

  async ready(): Promise<void> {
    if (this.running === undefined || this.draining !== undefined) {
      throw new SyncError('unavailable', 'the writer does not run');
    }
    const { owed, serving } = this.keeper;
    if (owed === undefined) throw new SyncError('unavailable', 'the writer has no word from the leases yet');
    if (owed > 0 && serving.length === 0) {
      throw new SyncError('unavailable', `the writer serves none of its ${owed} lanes`);
    }
  }

  private async giveUp(): Promise<void> {
    // A tick that waits for leases that do not answer must not hold up the end.
    const stopping = this.repetitions.map((repetition) => repetition.stop());
    await withinTime(stopping, this.settings.leaseTtlMs);
    await this.keeper.drain();
  }

  private async serve(lane: Lane, { token, onLost }: ServeOptions): Promise<LaneService> {
    const { queue } = this.deps;
    const seat = this.committer.seat({
      lane,
      token,
      onLost: (error) => {
        onLost(error);
        if (StoreError.is(error, 'stale_epoch')) this.ended.reject(error);
      },
    });
    const consumer = await queue.consume(lane, { concurrency: this.settings.concurrency }, (job, delivery) =>
      seat.submit(job, delivery),
    );
    this.served.add(lane);
    return {
      close: async () => {
        this.served.delete(lane);
        await consumer.close();
      },
    };
  }

  private committerDeps(): CommitterDeps {
    const { store, bus, rules, telemetry, now = Date.now } = this.deps;
    return { store, bus, rules, telemetry, settings: this.settings, now };
  }

  private beat(): Promise<void> {
    const { store, bus, telemetry } = this.deps;
    const { epoch, lanes } = this.layout;
    const quietLanes = () => [...this.served].filter((lane) => lane < lanes && !this.committer.isBusyIn(lane));
    const timeoutMs = this.settings.publishTimeoutMs;
    const onStale = this.ended.reject;
    return beat({ store, bus, epoch, timeoutMs, logger: telemetry.logger, quietLanes, onStale });
  }
}

interface Ending {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function currentLayout(history: History): LaneEpoch {
  const layout = history.epochs.at(-1);
  if (layout === undefined) throw new Error('a history without an epoch');
  return layout;
}

/** Also the lanes of older layouts: jobs that were queued before the number of lanes went down still wait there. */
function queuedLanes(history: History): readonly Lane[] {
  const count = Math.max(...history.epochs.map((epoch) => epoch.lanes));
  return Array.from({ length: count }, (_, lane) => brandAs<Lane>(lane));
}
