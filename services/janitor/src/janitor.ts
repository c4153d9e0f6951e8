import { SyncError } from '@tidemark/protocol';
import { type MaintenanceStore, StoreError } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { Leases } from '@tidemark/transport';
import type { Scheduled, Scheduler } from './scheduler.ts';
import { TideKeeper, type TideKeeperDeps } from './tide-keeper.ts';
import { createTimerScheduler } from './timer-scheduler.ts';
import { Trimmer } from './trimmer.ts';

export interface JanitorSettings {
  /** What was committed longer ago is trimmed away. */
  readonly changeRetentionDays: number;
  /** Names this janitor among all; needed with `leases`. Default `janitor`. */
  readonly holder?: string;
  /** Default 1,000: a row of the tide table per second in which something happened. */
  readonly tideIntervalMs?: number;
  /** Default 60,000. */
  readonly trimIntervalMs?: number;
  /** Rows trimmed in one step. Default 500. */
  readonly trimStepRows?: number;
}

export interface JanitorDeps {
  readonly store: MaintenanceStore & TideKeeperDeps['store'];
  readonly telemetry: Telemetry;
  readonly settings: JanitorSettings;
  /** Where there are other janitors: who works is found by leases, unless a scheduler knows. */
  readonly leases?: Leases;
  /** Default: timers of this process. */
  readonly scheduler?: Scheduler;
  /** Milliseconds since 1970; default Date.now. */
  readonly now?: () => number;
}

export interface Janitor {
  /**
   * Works until stopped. Rejects when the tasks could not be scheduled, and with StoreError `stale_epoch` when the number of
   * lanes has changed; then the process has to start anew.
   */
  run(): Promise<void>;
  /** Begins nothing more and ends what is under way. Safe to call twice. */
  drain(): Promise<void>;
  /** Drains, then `run` resolves. Safe to call twice. */
  stop(): Promise<void>;
  /** Throws SyncError `unavailable` when it does not run. */
  ready(): Promise<void>;
}

const defaults = { holder: 'janitor', tideIntervalMs: 1_000, trimIntervalMs: 60_000, trimStepRows: 500 };

export function createJanitor(deps: JanitorDeps): Janitor {
  return new PeriodicJanitor(deps);
}

class PeriodicJanitor implements Janitor {
  private readonly settings: JanitorSettings & typeof defaults;
  private readonly scheduler: Scheduler;
  private readonly tides: TideKeeper;
  private readonly trimmer: Trimmer;
  private scheduling: Promise<readonly Scheduled[]> | undefined;
  private running: Promise<void> | undefined;
  private draining: Promise<void> | undefined;
  private readonly ended: Ending = { resolve: () => undefined, reject: () => undefined };

  constructor(deps: JanitorDeps) {
    const { store, telemetry, now = Date.now } = deps;
    this.settings = { ...defaults, ...deps.settings };
    this.scheduler = deps.scheduler ?? schedulerOf(deps, this.settings);
    this.tides = new TideKeeper({ store, now });
    this.trimmer = new Trimmer({
      store,
      now,
      metrics: telemetry.metrics,
      retentionDays: this.settings.changeRetentionDays,
      stepRows: this.settings.trimStepRows,
    });
  }

  run(): Promise<void> {
    this.running ??= this.draining === undefined ? this.work() : Promise.resolve();
    return this.running;
  }

  drain(): Promise<void> {
    this.draining ??= this.endTasks();
    return this.draining;
  }

  async stop(): Promise<void> {
    await this.drain();
    this.ended.resolve();
  }

  async ready(): Promise<void> {
    if (this.scheduling === undefined || this.draining !== undefined) {
      throw new SyncError('unavailable', 'the janitor does not run');
    }
    await this.scheduling;
  }

  private async work(): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => Object.assign(this.ended, { resolve, reject }));
    this.scheduling = this.schedule();
    await Promise.all([this.scheduling, ended]);
  }

  private schedule(): Promise<readonly Scheduled[]> {
    const { tideIntervalMs, trimIntervalMs } = this.settings;
    return Promise.all([
      this.scheduler.schedule({ name: 'tide', intervalMs: tideIntervalMs, run: () => this.recordTide() }),
      this.scheduler.schedule({ name: 'trim', intervalMs: trimIntervalMs, run: () => this.trimmer.trim() }),
    ]);
  }

  private async recordTide(): Promise<void> {
    try {
      await this.tides.record();
    } catch (error) {
      if (StoreError.is(error, 'stale_epoch')) this.ended.reject(error);
      throw error;
    }
  }

  private async endTasks(): Promise<void> {
    this.trimmer.stop();
    const scheduled = (await this.scheduling?.catch(() => [])) ?? [];
    await Promise.all(scheduled.map((task) => task.stop()));
  }
}

interface Ending {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function schedulerOf({ telemetry, leases }: JanitorDeps, settings: typeof defaults): Scheduler {
  const { logger } = telemetry;
  if (leases === undefined) return createTimerScheduler({ logger });
  return createTimerScheduler({ logger, election: { leases, holder: settings.holder } });
}
