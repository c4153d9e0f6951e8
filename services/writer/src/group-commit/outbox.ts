import type { Entry, Epoch, Lane } from '@tidemark/protocol';
import type { Bus, FeedMessage } from '@tidemark/transport';
import { withinTime } from '../within-time.ts';
import type { PendingJob } from './pending-job.ts';

/** What a group commit has to tell: entries to the feeds first, then replies. */
export class Outbox {
  readonly feeds: FeedMessage[] = [];
  readonly jobs: PendingJob[] = [];
  private readonly epoch: Epoch;

  constructor(epoch: Epoch) {
    this.epoch = epoch;
  }

  /** Entries of one commit, in order; those of a lane follow each other without a gap. */
  addEntries(entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    if (entries.every((entry) => entry.lane === first.lane)) this.addFeed(entries);
    else for (const ofLane of byLane(entries)) this.addFeed(ofLane);
  }

  addJob(job: PendingJob): void {
    if (job.isComplete && !job.isFailed) this.jobs.push(job);
  }

  private addFeed(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last !== undefined) this.feeds.push({ epoch: this.epoch, lane: last.lane, head: last.seq, entries });
  }
}

function byLane(entries: readonly Entry[]): Iterable<readonly Entry[]> {
  const lanes = new Map<Lane, Entry[]>();
  for (const entry of entries) {
    const lane = lanes.get(entry.lane);
    if (lane === undefined) lanes.set(entry.lane, [entry]);
    else lane.push(entry);
  }
  return lanes.values();
}

export interface PublishOptions {
  readonly bus: Bus;
  /** How long they may take. */
  readonly timeoutMs: number;
  /** What is committed stays so, whatever becomes of the news of it: the heartbeat and the log make good for it. */
  readonly onFailure: (error: unknown, what: 'feed' | 'reply') => void;
}

/** Resolves when everything was sent, has failed or has taken too long. Never rejects. */
export async function publishOutbox(outbox: Outbox, { bus, timeoutMs, onFailure }: PublishOptions): Promise<void> {
  // All are begun at once and in order; a bus keeps the order of its publisher.
  const feeds = outbox.feeds.map((message) => watched(bus.publishFeed(message), (error) => onFailure(error, 'feed')));
  const replies = outbox.jobs.map((job) =>
    watched(bus.publishReply(job.job.gateway, job.reply()), (error) => onFailure(error, 'reply')),
  );
  await withinTime([...feeds, ...replies], timeoutMs);
}

async function watched(sending: Promise<void>, onFailure: (error: unknown) => void): Promise<void> {
  try {
    await sending;
  } catch (error) {
    onFailure(error);
  }
}
