import type { AckMessage, Millis } from '@tidemark/protocol/core';
import type { Cancel, Clock } from '../clock.ts';
import { backoffMs, defaultBackoff } from '../connection/backoff.ts';
import type { LocalDatabase } from '../local/database.ts';
import type { OutboxEntry } from '../local/records.ts';
import { mayRetryLater } from '../retry.ts';
import { isRefusal, parseBatchAck, type Refused } from './incoming.ts';
import type { Session } from './session.ts';
import type { Settlement } from './settlement.ts';
import { wireChange } from './wire-change.ts';

/** What the event, the brackets and the commas around the changes of a batch take at most. */
const envelopeBytes = 512;
/** A write that the server fails on so often in a row, without saying that it is busy, is given up. */
const attemptsOnFaults = 10;

export interface SendLimits {
  readonly maxBatchSize: number;
  readonly maxMessageBytes: number;
}

export interface SenderOptions {
  readonly database: LocalDatabase;
  readonly settlement: Settlement;
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits: SendLimits;
  /** False while the write is not yet in the local store: a crash would forget what the server knows. */
  readonly isStored: (entry: OutboxEntry) => boolean;
  readonly session: Pick<Session, 'request' | 'markSoon' | 'refused'>;
}

/** Sends the outbox over one connection, in order: one batch at a time, as large as the server takes, as fast as it lets. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #attempts = new Map<string, number>();
  #inFlight = false;
  #cancelWait: Cancel | undefined;
  #stopped = false;
  #batchSize: number;
  #failures = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#batchSize = options.limits.maxBatchSize;
  }

  /** Sends what there is, unless a batch or a wait is under way. */
  pump(): void {
    if (this.#stopped || this.#inFlight || this.#cancelWait) return;
    const batch = this.#nextBatch();
    if (batch.length === 0) return;
    this.#inFlight = true;
    this.#options.session.request('sync:changeBatch', { changes: batch.map(wireChange) }, (answer) => {
      this.#inFlight = false;
      const ack = parseBatchAck(answer);
      if (isRefusal(ack)) this.#refused(batch, ack);
      else this.#processed(batch, ack.results);
      this.pump();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWait?.();
  }

  #nextBatch(): readonly OutboxEntry[] {
    const { database, isStored, limits } = this.#options;
    const batch: OutboxEntry[] = [];
    const tooLarge: OutboxEntry[] = [];
    const room = limits.maxMessageBytes - envelopeBytes;
    let bytes = 0;
    for (const entry of database.outbox.entries()) {
      if (entry.stage !== 'accepted') continue;
      if (!isStored(entry)) break;
      if (entry.bytes > room) {
        tooLarge.push(entry);
        continue;
      }
      if (batch.length >= this.#batchSize || bytes + entry.bytes + 1 > room) break;
      batch.push(entry);
      bytes += entry.bytes + 1;
    }
    for (const entry of tooLarge)
      this.#reject(entry, 'too_large', `the change is larger than the ${room} bytes that the server takes`);
    return batch;
  }

  #processed(batch: readonly OutboxEntry[], results: readonly AckMessage[]): void {
    this.#failures = 0;
    this.#batchSize = this.#options.limits.maxBatchSize;
    const waits: Millis[] = [];
    this.#options.database.mutate(() => {
      for (const [index, entry] of batch.entries()) {
        const own = results[index];
        if (own?.changeId !== entry.id) waits.push(0);
        else if (this.#isToRetry(own)) waits.push(own.retryAfterMs ?? 0);
        else {
          this.#attempts.delete(entry.id);
          this.#options.settlement.decided(entry, own);
        }
      }
    });
    this.#options.session.markSoon();
    if (waits.length > 0) this.#wait(Math.max(...waits));
  }

  /** Whether the change itself was not decided: the server was busy or failed. */
  #isToRetry(ack: AckMessage): boolean {
    if (ack.outcome !== 'rejected' || !mayRetryLater(ack.code)) return false;
    if (ack.code !== 'internal') return true;
    const attempts = (this.#attempts.get(ack.changeId) ?? 0) + 1;
    this.#attempts.set(ack.changeId, attempts);
    return attempts < attemptsOnFaults;
  }

  /** The batch was refused as a whole: wait, send less, or find the change that is to blame. */
  #refused(batch: readonly OutboxEntry[], refusal: Refused): void {
    const { code, error, retryAfterMs } = refusal;
    const [only, another] = batch;
    if (code === 'unauthenticated' || code === 'token_expired') this.#options.session.refused(refusal);
    else if (mayRetryLater(code)) this.#wait(retryAfterMs ?? 0);
    else if (another) this.#batchSize = Math.floor(batch.length / 2);
    else if (only) this.#reject(only, code, error);
  }

  #reject(entry: OutboxEntry, code: string, error: string): void {
    this.#options.database.mutate(() => this.#options.settlement.rejected(entry, code, error));
  }

  #wait(atLeastMs: Millis): void {
    this.#failures += 1;
    const { clock, random } = this.#options;
    const ms = atLeastMs > 0 ? atLeastMs : backoffMs(this.#failures, random(), defaultBackoff);
    this.#cancelWait = clock.after(ms, () => {
      this.#cancelWait = undefined;
      this.pump();
    });
  }
}
