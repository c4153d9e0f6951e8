import type { Entry, Epoch, GatewayId, JobId, Lane, Millis, Outcome, Seq, WriteRequest } from '@tidemark/protocol';

/** Work for the writer of a lane. A request belongs to the job's lane; an atomic one may touch other lanes too. */
export interface WriteJob {
  readonly id: JobId;
  readonly gateway: GatewayId;
  readonly epoch: Epoch;
  readonly lane: Lane;
  /** Decided in this order. Never empty. */
  readonly requests: readonly WriteRequest[];
}

/** `outcomes[i]` answers `requests[i]` of the job, one outcome per change, in order. */
export interface WriteReply {
  readonly job: JobId;
  readonly outcomes: readonly (readonly Outcome[])[];
}

export interface Delivery {
  /** 1 for the first. */
  readonly attempt: number;
}

/** Resolves: the job is done. Rejects: it is delivered again after a growing delay, for ever; it is never dropped. */
export type JobHandler = (job: WriteJob, delivery: Delivery) => Promise<void>;

export interface ConsumeOptions {
  /** Jobs handed out at once. */
  readonly concurrency: number;
}

export interface Consumer {
  /** Takes no more jobs; resolves when those handed out have settled. What is left goes to the next consumer. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Lanes of jobs, in order of arrival, delivered at least once: a job whose consumer dies, or whose handler rejects, comes again.
 * Jobs that are delivered again may be overtaken by later ones.
 */
export interface JobQueue {
  /** Resolves when the queue holds the job. Throws SyncError `overloaded` when the lane is full, `unavailable` when the queue is away. */
  enqueue(job: WriteJob): Promise<void>;
  consume(lane: Lane, options: ConsumeOptions, handler: JobHandler): Promise<Consumer>;
  /** Jobs waiting or at work, by lane. */
  depth(): Promise<ReadonlyMap<Lane, number>>;
  /** Throws SyncError `unavailable`. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Entries of a lane in order without gaps among them; or only how far the lane is (heartbeat: `entries` is empty). */
export interface FeedMessage {
  readonly epoch: Epoch;
  readonly lane: Lane;
  /** The lane's head when the message was sent, at least the last entry's seq. */
  readonly head: Seq;
  readonly entries: readonly Entry[];
}

export type Unsubscribe = () => Promise<void>;

/**
 * Messages to whoever listens now. May lose, repeat or reorder them: the log and the heartbeats make good for it.
 * Listeners must not throw; they are called in the order of arrival.
 */
export interface Bus {
  publishFeed(message: FeedMessage): Promise<void>;
  subscribeFeed(listener: (message: FeedMessage) => void): Promise<Unsubscribe>;
  publishReply(gateway: GatewayId, reply: WriteReply): Promise<void>;
  subscribeReplies(gateway: GatewayId, listener: (reply: WriteReply) => void): Promise<Unsubscribe>;
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface Lease {
  /** Grows with every acquisition of the same name, over all holders: the fencing token. */
  readonly token: number;
  /**
   * False when the lease has been lost or has run out; then the holder must stop at once. Throws SyncError `unavailable`
   * when that cannot be told now and the lease may still last: ask again before it runs out.
   */
  renew(): Promise<boolean>;
  /** Gives it up; safe to call twice. */
  release(): Promise<void>;
}

/** Every call throws SyncError `unavailable` when it gets no answer. */
export interface Leases {
  /**
   * Undefined when another holder has it. It ends by itself `ttlMs` after the last renewal. The token is greater than
   * `seen`, one that the caller knows to have been given: who has lost memory and time would give it again.
   */
  acquire(name: string, holder: string, ttlMs: Millis, seen?: number): Promise<Lease | undefined>;
  /** Says that the holder is alive and wants a share of the lanes; ends by itself after `ttlMs`. */
  announce(holder: string, ttlMs: Millis): Promise<void>;
  /** Holders that are alive, in order. */
  holders(): Promise<readonly string[]>;
  /** Takes the announcement back. */
  retire(holder: string): Promise<void>;
  close(): Promise<void>;
}
