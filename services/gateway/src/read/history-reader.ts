import { brandAs, type Checkpoint, type HistoryId, type Lane, type Position, type Seq } from '@tidemark/protocol';
import { type History, type LaneEpoch, type LogStore, StoreError } from '@tidemark/storage';
import { currentEpoch, type Feed } from './feed.ts';
import { type HistoryChunk, type LaneRun, mergeLanes } from './merge-lanes.ts';
import { positionOf, startOf } from './position.ts';

export interface HistoryReaderDeps {
  readonly log: LogStore;
  readonly history: History;
  readonly feed: Feed;
}

/** Why a checkpoint cannot be continued; undefined when it can. */
export type CheckpointFault = 'unknown' | 'other_history' | 'ahead' | 'trimmed' | 'listing' | 'rights';

const sentences: Readonly<Record<CheckpointFault, string>> = {
  unknown: 'the checkpoint is not one of this server',
  other_history: 'the checkpoint is from another history',
  ahead: 'the checkpoint is ahead of the history of this server',
  trimmed: 'the checkpoint is older than the retained history',
  listing: 'the checkpoint is a bookmark of sync:get_changes',
  rights: 'the rights of the user are others than at the checkpoint',
};

export function describeFault(fault: CheckpointFault): string {
  return sentences[fault];
}

/** Reads committed history from any position on, from memory where it can, and across epochs. */
export class HistoryReader {
  readonly historyId: HistoryId;
  private readonly deps: HistoryReaderDeps;
  private readonly current: LaneEpoch;

  constructor(deps: HistoryReaderDeps) {
    this.deps = deps;
    this.current = currentEpoch(deps.history);
    this.historyId = deps.history.id;
  }

  /** The position before everything that was ever committed. */
  origin(): Position {
    return startOf(this.deps.history.epochs[0] ?? this.current);
  }

  /**
   * Can history be continued from this checkpoint by who has these rights? Looks at the store, so that a checkpoint of a
   * faster gateway is known.
   */
  async faultOf(checkpoint: Checkpoint | undefined, rights: string | undefined): Promise<CheckpointFault | undefined> {
    if (checkpoint === undefined) return 'unknown';
    if (checkpoint.historyId !== this.historyId) return 'other_history';
    const { position, wholeThrough } = checkpoint;
    const epoch = this.deps.history.epochs.find((known) => known.epoch === position.epoch);
    if (epoch === undefined || epoch.lanes !== position.seqs.length) return 'unknown';
    for (const { lane, head, trimmed } of await this.deps.log.heads(epoch.epoch)) {
      const seq = position.seqs[lane] ?? 0;
      // Tokens are not signed: what lies ahead would be waited for for ever.
      if (seq > head || (wholeThrough?.[lane] ?? 0) > head) return 'ahead';
      if (seq < trimmed) return 'trimmed';
    }
    return checkpoint.rights === rights ? undefined : 'rights';
  }

  /**
   * Up to `limit` entries after `from` in the order of their commits, but none behind `until` (a position of the current
   * epoch). No entries with an unchanged position: `until` is reached. Throws StoreError `trimmed`.
   */
  async read(from: Position, until: Position, limit: number): Promise<HistoryChunk> {
    if (from.epoch !== this.current.epoch) return this.readOldEpoch(from, limit);
    return this.recent(from, until, limit) ?? this.readLanes(from, until, limit);
  }

  /** As `read`, from memory alone and at once; undefined when that does not do. */
  recent(from: Position, until: Position, limit: number): HistoryChunk | undefined {
    if (from.epoch !== this.current.epoch) return undefined;
    const runs: LaneRun[] = [];
    for (const { lane, after, missing } of gaps(from, until)) {
      const entries = this.deps.feed.recent(lane, after, Math.min(missing, limit));
      if (entries === undefined || entries.length === 0) return undefined;
      runs.push({ lane, entries, hasMore: entries.length < missing });
    }
    return mergeLanes(from, runs, limit);
  }

  /** Asks of each lane its share, so that little is read in vain. */
  private async readLanes(from: Position, until: Position, limit: number): Promise<HistoryChunk> {
    const open = gaps(from, until);
    const share = Math.ceil(limit / Math.max(open.length, 1));
    const runs = open.map(async ({ lane, after, missing }): Promise<LaneRun> => {
      const read = { epoch: from.epoch, lane: brandAs<Lane>(lane), after, limit: Math.min(missing, share) };
      const entries = await this.deps.log.readLog(read);
      if (entries.length === 0) throw new StoreError('unavailable', 'the log does not hold what was committed');
      return { lane, entries, hasMore: entries.length < missing };
    });
    return mergeLanes(from, await Promise.all(runs), limit);
  }

  /** An epoch that has ended is read to its end first; then the next one begins. */
  private async readOldEpoch(from: Position, limit: number): Promise<HistoryChunk> {
    const { epochs } = this.deps.history;
    const index = epochs.findIndex((known) => known.epoch === from.epoch);
    const epoch = epochs[index];
    const next = epochs[index + 1];
    if (epoch === undefined || next === undefined) throw new StoreError('trimmed', 'an unknown epoch');
    const end = positionOf(epoch, await this.deps.log.heads(epoch.epoch));
    const chunk = await this.readLanes(from, end, limit);
    const isAtEnd = chunk.position.seqs.every((seq, lane) => seq >= (end.seqs[lane] ?? 0));
    return isAtEnd ? { entries: chunk.entries, position: startOf(next) } : chunk;
  }
}

interface LaneGap {
  readonly lane: number;
  readonly after: Seq;
  /** Entries between the positions. */
  readonly missing: number;
}

/** The lanes in which `until` lies ahead. */
function gaps(from: Position, until: Position): readonly LaneGap[] {
  return from.seqs.flatMap((after, lane) => {
    const missing = (until.seqs[lane] ?? 0) - after;
    return missing > 0 ? [{ lane, after, missing }] : [];
  });
}
