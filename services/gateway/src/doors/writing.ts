import { randomUUID } from 'node:crypto';
import type { RateLimiter } from '@tidemark/access';
import {
  type AckMessage,
  type BatchAckMessage,
  brandAs,
  type Change,
  type ChangeId,
  type Millis,
  type ParseChangeOptions,
  parseChange,
  type SocketId,
  SyncError,
  statedChangeId,
  type UserId,
} from '@tidemark/protocol';
import { type DocumentStore, StoreError } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { Session } from '../socket/session.ts';
import type { Changes } from '../write/changes.ts';
import { asSyncError, rejectedAck, resultAck } from './acks.ts';
import { retryOf } from './door.ts';

export interface WritingDeps {
  readonly changes: Changes;
  readonly store: Pick<DocumentStore, 'canonical'>;
  readonly rateLimiter: RateLimiter | undefined;
  readonly telemetry: Telemetry;
  readonly settings: { readonly maxBatchSize: number };
  readonly now: () => Millis;
}

/** Who writes, and how. */
export interface Writer {
  readonly session: Pick<Session, 'userId' | 'author'>;
  readonly origin: SocketId | undefined;
  readonly emitTo?: readonly UserId[];
}

export interface BatchOptions {
  readonly atomic: boolean;
  readonly lenientOperation: boolean;
}

const newId = () => brandAs<ChangeId>(randomUUID());

/** What all doors for changes have in common: parse, admit, submit, answer. */
export class Writing {
  private readonly deps: WritingDeps;

  constructor(deps: WritingDeps) {
    this.deps = deps;
  }

  /** One change. Never rejects: what is wrong is in the ack. */
  async one(writer: Writer, input: unknown): Promise<AckMessage> {
    const begun = performance.now();
    try {
      const change = parseChange(input, { newId, lenientOperation: false });
      await this.admit(writer.session.userId, 1);
      const ack = await this.submitOne(writer, change);
      this.observe(begun);
      return ack;
    } catch (error) {
      return this.rejected(statedChangeId(input) ?? newId(), error);
    }
  }

  /** One change that is parsed already. Throws SyncError when it is not admitted. */
  async parsed(writer: Writer, change: Change): Promise<AckMessage> {
    await this.admit(writer.session.userId, 1);
    return this.submitOne(writer, change);
  }

  /** Several changes; each bad one is rejected alone, unless the batch is atomic. Throws SyncError when refused as a whole. */
  async many(writer: Writer, inputs: readonly unknown[], options: BatchOptions): Promise<readonly AckMessage[]> {
    const { maxBatchSize } = this.deps.settings;
    if (inputs.length === 0) throw new SyncError('invalid_message', 'No changes provided');
    if (inputs.length > maxBatchSize) throw new SyncError('too_large', `a batch holds at most ${maxBatchSize} changes`);
    const begun = performance.now();
    const parsed = inputs.map((input) => tryParse(input, { newId, lenientOperation: options.lenientOperation }));
    const good = parsed.filter((one): one is Change => !(one instanceof Error));
    if (options.atomic && good.length < parsed.length) return this.abortAll(inputs, parsed);
    if (good.length > 0) await this.admit(writer.session.userId, good.length);
    const results = await this.submit(writer, good, options.atomic);
    const now = this.deps.now();
    let next = 0;
    const acks = parsed.map((one, index) => {
      if (one instanceof Error) return this.rejected(statedChangeId(inputs[index]) ?? newId(), one);
      return this.ackOf(one, results[next++], now);
    });
    this.observe(begun);
    return acks;
  }

  /** The answer to a batch of today's dialect. */
  batchAck(acks: readonly AckMessage[], begun: number, atomic: boolean): BatchAckMessage {
    const successCount = acks.filter((ack) => ack.success).length;
    const success = !atomic || successCount === acks.length;
    const latency = Math.round(performance.now() - begun);
    const batch = { success, results: [...acks], totalProcessed: acks.length, successCount, latency };
    return success ? batch : { ...batch, code: 'atomic_aborted', error: 'the batch was aborted; nothing was written' };
  }

  refusedOne(error: SyncError, input: unknown): AckMessage {
    return rejectedAck(statedChangeId(input) ?? newId(), error, this.deps.now());
  }

  refusedBatch(error: SyncError): BatchAckMessage {
    return {
      success: false,
      results: [],
      totalProcessed: 0,
      successCount: 0,
      latency: 0,
      code: error.code,
      error: error.message,
      ...retryOf(error),
    };
  }

  private async submitOne(writer: Writer, change: Change): Promise<AckMessage> {
    const [result] = await this.submit(writer, [change], false);
    return this.ackOf(change, result, this.deps.now());
  }

  private submit(writer: Writer, parsed: readonly Change[], atomic: boolean) {
    if (parsed.length === 0) return Promise.resolve([]);
    const { session, origin, emitTo } = writer;
    const changes = parsed.map((change) => asStored(this.deps.store, change));
    return this.deps.changes.submit({ author: session.author, origin, atomic, changes, ...(emitTo && { emitTo }) });
  }

  private async admit(userId: UserId, count: number): Promise<void> {
    const begun = performance.now();
    const admission = this.deps.rateLimiter?.admit(userId, count);
    const decided = admission instanceof Promise ? await admission : admission;
    this.deps.telemetry.metrics.stageSeconds.admit.observe((performance.now() - begun) / 1_000);
    if (decided === undefined || decided.admitted) return;
    this.deps.telemetry.metrics.rateLimited.inc();
    throw new SyncError('rate_limited', 'rate_limit_exceeded', { retryAfterMs: decided.retryAfterMs });
  }

  private abortAll(inputs: readonly unknown[], parsed: readonly (Change | SyncError)[]): readonly AckMessage[] {
    const aborted = new SyncError('atomic_aborted', 'another change of the batch was rejected; nothing was written');
    return parsed.map((one, index) => {
      const id = one instanceof Error ? (statedChangeId(inputs[index]) ?? newId()) : one.id;
      return this.rejected(id, one instanceof Error ? one : aborted);
    });
  }

  private ackOf(change: Change, result: Parameters<typeof resultAck>[1] | undefined, now: Millis): AckMessage {
    if (result instanceof Error || result === undefined)
      return this.rejected(change.id, result ?? new Error('no outcome'));
    return resultAck(change.id, result, now);
  }

  private rejected(id: ChangeId, error: unknown): AckMessage {
    const known = asSyncError(error);
    const { logger, metrics } = this.deps.telemetry;
    metrics.rejections(known.code).inc();
    if (known.code === 'internal') logger.error({ err: error, changeId: id }, 'a change could not be decided');
    return rejectedAck(id, known, this.deps.now());
  }

  private observe(begun: number): void {
    this.deps.telemetry.metrics.stageSeconds.ack.observe((performance.now() - begun) / 1_000);
  }
}

function tryParse(input: unknown, options: ParseChangeOptions): Change | SyncError {
  try {
    return parseChange(input, options);
  } catch (error) {
    return asSyncError(error);
  }
}

/** What the store cannot hold stays as it is: the writer rejects it, alone. */
function asStored(store: WritingDeps['store'], change: Change): Change {
  try {
    const data = store.canonical(change.data);
    return data === change.data ? change : { ...change, data };
  } catch (error) {
    if (StoreError.is(error, 'invalid')) return change;
    throw error;
  }
}
