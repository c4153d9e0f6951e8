import { brandAs, type Entry, type Position, type Seq } from '@tidemark/protocol';
import { type History, type LaneEpoch, type LogStore, StoreError } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { Bus, FeedMessage, Unsubscribe } from '@tidemark/transport';
import { LaneFeed } from './lane-feed.ts';
import { hasReached, positionOf } from './position.ts';

export interface FeedDeps {
  readonly log: LogStore;
  readonly history: History;
  readonly bus: Pick<Bus, 'subscribeFeed'>;
  readonly telemetry: Telemetry;
  /** Memory for recent entries, all lanes together. */
  readonly recentBytes: number;
  /** Called once: writers have begun a later epoch, of which this gateway sees nothing. */
  readonly onOutdated?: () => void;
}

export interface FeedListener {
  /** Entries of one lane, in order, each exactly once. */
  onEntries(entries: readonly Entry[]): void;
  /** History was trimmed past this gateway: everything before the present position is lost to it. */
  onLost(): void;
}

/**
 * The gateway's own way through history: per lane, committed entries in order, without gaps, each once.
 * What the bus loses, repeats or swaps is made good from the log.
 */
export class Feed {
  private readonly deps: FeedDeps;
  private readonly epoch: LaneEpoch;
  private lanes: readonly LaneFeed[] = [];
  private waiters: { readonly target: Position; readonly done: () => void }[] = [];
  private unsubscribe: Unsubscribe | undefined;
  private listener: FeedListener | undefined;
  private isOutdated = false;

  constructor(deps: FeedDeps) {
    this.deps = deps;
    this.epoch = currentEpoch(deps.history);
  }

  /** Starts at the heads as they are now, with the listener that is made for this position. Throws StoreError. */
  async start<T extends FeedListener>(listenerFor: (start: Position) => T): Promise<T> {
    const early: FeedMessage[] = [];
    let take = (message: FeedMessage): void => {
      early.push(message);
    };
    this.unsubscribe = await this.deps.bus.subscribeFeed((message) => take(message));
    const start = await this.readHeads();
    this.lanes = start.seqs.map((seq, lane) => this.createLane(lane, seq));
    const listener = listenerFor(start);
    this.listener = listener;
    take = (message) => this.receive(message);
    for (const message of early) this.receive(message);
    return listener;
  }

  async stop(): Promise<void> {
    await this.unsubscribe?.();
    for (const lane of this.lanes) lane.stop();
  }

  position(): Position {
    return { epoch: this.epoch.epoch, seqs: this.lanes.map((lane) => lane.position) };
  }

  /** What is committed now, from the store. */
  async readHeads(): Promise<Position> {
    return positionOf(this.epoch, await this.deps.log.heads(this.epoch.epoch));
  }

  /** Resolves when the feed has delivered everything up to `target`, which must be committed. */
  reach(target: Position): Promise<void> {
    if (hasReached(this.position(), target)) return Promise.resolve();
    for (const lane of this.lanes) lane.expect(target.seqs[lane.lane] ?? brandAs<Seq>(0));
    return new Promise((done) => this.waiters.push({ target, done }));
  }

  /** Entries that follow `seq` from memory; undefined when the log must be asked. */
  recent(lane: number, seq: Seq, limit: number): readonly Entry[] | undefined {
    return this.lanes[lane]?.recent.after(seq, limit);
  }

  private createLane(lane: number, position: Seq): LaneFeed {
    return new LaneFeed({
      ...this.deps,
      epoch: this.epoch.epoch,
      lane,
      position,
      recentBytes: Math.floor(this.deps.recentBytes / this.epoch.lanes),
      onEntries: (entries) => this.pass(entries),
      onLost: () => this.lose(),
    });
  }

  private receive(message: FeedMessage): void {
    if (message.epoch === this.epoch.epoch) this.lanes[message.lane]?.receive(message);
    if (message.epoch <= this.epoch.epoch || this.isOutdated) return;
    this.isOutdated = true;
    this.deps.onOutdated?.();
  }

  private pass(entries: readonly Entry[]): void {
    this.listener?.onEntries(entries);
    this.wakeWaiters();
  }

  private lose(): void {
    this.listener?.onLost();
    this.wakeWaiters();
  }

  private wakeWaiters(): void {
    if (this.waiters.length === 0) return;
    const position = this.position();
    const [reached, waiting] = partition(this.waiters, (waiter) => hasReached(position, waiter.target));
    this.waiters = waiting;
    for (const waiter of reached) waiter.done();
  }
}

export function currentEpoch(history: History): LaneEpoch {
  const epoch = history.epochs.at(-1);
  if (epoch === undefined) throw new StoreError('invalid', 'the store has no epoch');
  return epoch;
}

function partition<T>(values: readonly T[], test: (value: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const value of values) (test(value) ? yes : no).push(value);
  return [yes, no];
}
