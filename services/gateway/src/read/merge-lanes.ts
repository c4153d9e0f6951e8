import type { Entry, Position, Seq } from '@tidemark/protocol';

/** The next entries of one lane. */
export interface LaneRun {
  readonly lane: number;
  /** In the order of their seqs, without a gap. */
  readonly entries: readonly Entry[];
  /** The lane goes on behind them. */
  readonly hasMore: boolean;
}

/** Some entries, and the position after them. */
export interface HistoryChunk {
  readonly entries: readonly Entry[];
  readonly position: Position;
}

/**
 * Up to `limit` entries in the order in which they were committed, as far as the runs tell: it ends where one does that
 * goes on. Within a lane order is certain; between lanes it is as good as the clocks of the writers.
 */
export function mergeLanes(from: Position, runs: readonly LaneRun[], limit: number): HistoryChunk {
  const seqs: Seq[] = [...from.seqs];
  const taken = new Map<LaneRun, number>();
  const entries: Entry[] = [];
  while (entries.length < limit) {
    const run = earliest(runs, taken);
    if (run === undefined) break;
    const index = taken.get(run) ?? 0;
    const entry = run.entries[index];
    if (entry === undefined) break;
    entries.push(entry);
    seqs[run.lane] = entry.seq;
    taken.set(run, index + 1);
  }
  return { entries, position: entries.length === 0 ? from : { epoch: from.epoch, seqs } };
}

/** The run whose next entry was committed first; one at its end that goes on comes before all others. */
function earliest(runs: readonly LaneRun[], taken: ReadonlyMap<LaneRun, number>): LaneRun | undefined {
  let found: LaneRun | undefined;
  let at = Number.POSITIVE_INFINITY;
  for (const run of runs) {
    const next = run.entries[taken.get(run) ?? 0];
    if (next === undefined && run.hasMore) return run;
    if (next === undefined || next.committedAt >= at) continue;
    found = run;
    at = next.committedAt;
  }
  return found;
}
