import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CollectionName, Document, DocumentKey, Entry, Lane, Outcome } from '@tidemark/protocol';
import { TRUE_QUERY } from '@tidemark/rql';
import type { Store } from '@tidemark/storage';
import { openEmbeddedStore } from '@tidemark/storage/embedded';
import { silentTelemetry, type Telemetry } from '@tidemark/telemetry';
import type { Bus, FeedMessage, JobQueue, Leases, WriteJob, WriteReply } from '@tidemark/transport';
import { createInProcessBus, createInProcessLeases, createInProcessQueue } from '@tidemark/transport/inprocess';
import type { WriteRules } from '../decide/index.ts';
import { createWriter, type Writer, type WriterDeps, type WriterSettings } from '../writer.ts';
import { gateway, tasks } from './changes.ts';
import { openRules } from './decisions.ts';

export interface RigOptions {
  readonly directory?: string;
  readonly lanes?: number;
  readonly rules?: WriteRules;
  readonly settings?: Partial<WriterSettings>;
  /** What the writers get in place of the real thing. */
  readonly wrapStore?: (store: Store) => WriterDeps['store'];
  readonly wrapBus?: (bus: Bus) => Bus;
  readonly wrapQueue?: (queue: JobQueue) => JobQueue;
}

/** A writer on real parts: the embedded store in a directory of its own, the in-process queue, bus and leases. */
export class Rig {
  readonly store: Store;
  readonly queue: JobQueue;
  readonly bus: Bus;
  readonly leases: Leases;
  readonly telemetry: Telemetry;
  /** Everything that was published, heartbeats too. */
  readonly feed: FeedMessage[] = [];
  readonly replies: WriteReply[] = [];
  private readonly options: RigOptions;
  private readonly directory: string;
  private readonly writers: Writer[] = [];

  private constructor(options: RigOptions, directory: string, store: Store) {
    this.options = options;
    this.directory = directory;
    this.store = store;
    this.queue = createInProcessQueue({ redeliveryDelayMs: 5, maxRedeliveryDelayMs: 20 });
    this.bus = createInProcessBus();
    this.leases = createInProcessLeases();
    this.telemetry = silentTelemetry();
  }

  static async open(options: RigOptions = {}): Promise<Rig> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'tidemark-writer-')));
    const store = await openEmbeddedStore({ directory, lanes: options.lanes ?? 1 });
    const rig = new Rig(options, directory, store);
    await rig.bus.subscribeFeed((message) => rig.feed.push(message));
    await rig.bus.subscribeReplies(gateway, (reply) => rig.replies.push(reply));
    return rig;
  }

  startWriter(settings: Partial<WriterSettings> = {}): Writer {
    const writer = this.createWriter({ settings: this.deps(settings).settings });
    void writer.run().catch(() => undefined);
    return writer;
  }

  /** A writer that is not started; it ends with the rig. */
  createWriter(deps: Partial<WriterDeps> = {}): Writer {
    const writer = createWriter({ ...this.deps(), ...deps });
    this.writers.push(writer);
    return writer;
  }

  deps(settings: Partial<WriterSettings> = {}): WriterDeps {
    const { wrapStore, wrapBus, wrapQueue, rules = openRules } = this.options;
    return {
      store: wrapStore?.(this.store) ?? this.store,
      queue: wrapQueue?.(this.queue) ?? this.queue,
      bus: wrapBus?.(this.bus) ?? this.bus,
      leases: this.leases,
      rules,
      telemetry: this.telemetry,
      settings: {
        holder: `w${this.writers.length}`,
        maxClockSkewMs: 60_000,
        optimisticLocking: false,
        leaseTtlMs: 300,
        heartbeatMs: 20,
        ...this.options.settings,
        ...settings,
      },
    };
  }

  /** Enqueues the job and waits for its reply. */
  async send(job: WriteJob): Promise<readonly (readonly Outcome[])[]> {
    await this.queue.enqueue(job);
    await until(() => this.replyTo(job) !== undefined);
    return this.replyTo(job)?.outcomes ?? [];
  }

  replyTo(job: WriteJob): WriteReply | undefined {
    return this.replies.find((reply) => reply.job === job.id);
  }

  /** The log of a lane. */
  log(lane = 0): Promise<readonly Entry[]> {
    const read = { lane: lane as Lane, after: 0 as never, limit: 10_000 };
    return this.store.readLog({ epoch: this.store.history.epochs.at(-1)?.epoch as never, ...read });
  }

  async documents(collection: CollectionName = tasks): Promise<readonly Document[]> {
    const documents: Document[] = [];
    let after: DocumentKey | undefined;
    do {
      const page = await this.store.readDocuments({ collection, query: TRUE_QUERY, after, limit: 100 });
      documents.push(...page.documents);
      after = page.next;
    } while (after !== undefined);
    return documents;
  }

  /** Published entries, in the order of publication. */
  get published(): readonly Entry[] {
    return this.feed.flatMap((message) => message.entries);
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.stop()));
    await this.queue.close();
    await this.bus.close();
    await this.store.close();
    // A directory that the test gave is the test's.
    if (this.options.directory === undefined) await rm(this.directory, { recursive: true, force: true });
  }
}

/** Resolves when the condition holds; rejects when it has not for five seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within time: ${condition}`);
    await sleep(1);
  }
}
