import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MaintenanceStore } from '@tidemark/storage';
import type { Metrics } from '@tidemark/telemetry';

const dayMs = 24 * 60 * 60 * 1_000;

export interface TrimmerDeps {
  readonly store: MaintenanceStore;
  readonly metrics: Pick<Metrics, 'trimmed'>;
  readonly retentionDays: number;
  /** Rows removed in one step; writes get in between steps. */
  readonly stepRows: number;
  readonly now: () => number;
}

/** Removes what is older than the retention: log, outcomes, tides, and tombstones whose delete is gone. */
export class Trimmer {
  private readonly deps: TrimmerDeps;
  private stopped = false;

  constructor(deps: TrimmerDeps) {
    this.deps = deps;
  }

  /** Trims in bounded steps until nothing is left or `stop` is called. Throws StoreError. */
  async trim(): Promise<void> {
    const { store, metrics, retentionDays, stepRows, now } = this.deps;
    const before = now() - retentionDays * dayMs;
    while (!this.stopped) {
      const step = await store.trim({ before, limit: stepRows });
      metrics.trimmed.inc(step.trimmed);
      if (step.done) return;
      await nextTurn();
    }
  }

  /** Ends a trim that is under way after its current step; what is left waits for the next janitor. */
  stop(): void {
    this.stopped = true;
  }
}
