import { brandAs, type Entry, type Epoch, type Lane, type Seq } from '@tidemark/protocol';
import { type LogStore, StoreError } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { FeedMessage } from '@tidemark/transport';
import { RecentEntries } from './recent-entries.ts';

export interface LaneFeedOptions {
  readonly log: LogStore;
  readonly telemetry: Telemetry;
  readonly epoch: Epoch;
  readonly lane: number;
  readonly position: Seq;
  readonly recentBytes: number;
  readonly onEntries: (entries: readonly Entry[]) => void;
  readonly onLost: () => void;
}

const fillPage = 500;
const firstRetryMs = 50;
const lastRetryMs = 2_000;

/** One lane of the feed. `position` is the last seq passed on; `expected` the highest head that was heard of. */
export class LaneFeed {
  readonly lane: Lane;
  readonly recent: RecentEntries;
  position: Seq;
  private expected: Seq;
  private filling = false;
  private stopped = false;
  private retryTimer: NodeJS.Timeout | undefined;
  private readonly options: LaneFeedOptions;

  constructor(options: LaneFeedOptions) {
    this.options = options;
    this.lane = brandAs<Lane>(options.lane);
    this.position = options.position;
    this.expected = options.position;
    this.recent = new RecentEntries(options.recentBytes);
  }

  receive(message: FeedMessage): void {
    if (!this.filling) this.passFollowing(message.entries);
    this.expect(message.head);
  }

  /** Something up to `head` is committed; what has not come by itself is read from the log. */
  expect(head: Seq): void {
    if (head > this.expected) this.expected = head;
    if (this.expected > this.position && !this.filling && this.retryTimer === undefined) void this.fill(firstRetryMs);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retryTimer);
  }

  /** Passes on what continues the position; repeats are dropped, and what lies beyond a gap is left to `fill`. */
  private passFollowing(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const following = first.seq === this.position + 1 ? entries : entries.filter((entry) => entry.seq > this.position);
    if (following[0]?.seq === this.position + 1) this.pass(following);
  }

  private pass(entries: readonly Entry[]): void {
    for (const entry of entries) this.recent.push(entry);
    const last = entries.at(-1);
    if (last !== undefined) this.position = last.seq;
    this.options.onEntries(entries);
  }

  private async fill(retryMs: number): Promise<void> {
    this.filling = true;
    this.options.telemetry.metrics.feedGaps.inc();
    try {
      while (this.position < this.expected && !this.stopped) {
        const { epoch } = this.options;
        const entries = await this.options.log.readLog({
          epoch,
          lane: this.lane,
          after: this.position,
          limit: fillPage,
        });
        if (entries.length === 0) break;
        this.pass(entries);
      }
      this.filling = false;
    } catch (error) {
      this.filling = false;
      await this.recover(error, retryMs);
    }
  }

  private async recover(error: unknown, retryMs: number): Promise<void> {
    const { telemetry, lane } = this.options;
    if (StoreError.is(error, 'trimmed')) return this.jump();
    telemetry.logger.warn({ err: error, lane }, 'the feed cannot read the log; trying again');
    if (this.stopped) return;
    this.retryTimer = setTimeout(() => {
      this.retryTimer = undefined;
      if (!this.filling && this.position < this.expected) void this.fill(Math.min(retryMs * 2, lastRetryMs));
    }, retryMs);
  }

  /** The log no longer holds what follows: everyone has to start again from here. */
  private jump(): void {
    this.recent.clear();
    this.position = this.expected;
    this.options.onLost();
  }
}
