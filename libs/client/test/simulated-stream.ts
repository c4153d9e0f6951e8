import { type ChangeMessage, type DeliveredMessage, isObject } from '@tidemark/protocol/core';
import type { Predicate } from '@tidemark/rql';
import { predicateOf } from '../src/sync/subscription-set.ts';
import type { Position, SimulatedEntry, SimulatedServer } from './simulated-server.ts';

interface Held {
  readonly id: string;
  readonly collection: string;
  readonly matches: Predicate;
  needsBootstrap: boolean;
  /** Id of the last document listed; '' before the first. */
  after: string;
}

interface Token {
  readonly historyId: string;
  readonly position: Position;
  readonly wholeThrough?: Position;
}

export type Emit = (event: string, ...args: unknown[]) => void;
export type Answer = (answer: unknown) => void;

export interface StreamSettings {
  readonly page: number;
  readonly maxBatchSize: number;
}

/**
 * One socket on the server's side. `step` sends the next thing that is to be sent, so that a test decides what comes between.
 * The position stands still while a subscription is bootstrapped; afterwards updates come whole until what was read is passed.
 */
export class SimulatedStream {
  readonly #server: SimulatedServer;
  readonly #emit: Emit;
  readonly #settings: StreamSettings;
  #user: string | undefined;
  #held: Held[] = [];
  #position: Position = [];
  #wholeThrough: Position | undefined;
  #marks: { readonly through: Position; readonly answer: Answer }[] = [];

  constructor(server: SimulatedServer, emit: Emit, settings: StreamSettings) {
    this.#server = server;
    this.#emit = emit;
    this.#settings = settings;
  }

  received(event: string, payload: unknown, answer: Answer): void {
    const fields = isObject(payload) ? payload : {};
    if (event === 'sync:join') this.#join(fields, answer);
    else if (event === 'sync:changeBatch') this.#write(fields.changes as ChangeMessage[], answer);
    else if (event === 'sync:subscribe') this.#subscribe(fields, answer);
    else if (event === 'sync:unsubscribe') this.#unsubscribe(fields, answer);
    else if (event === 'sync:mark') this.#mark(answer);
    else answer({ success: false, code: 'invalid_message', error: `no event ${event}` });
  }

  /** Sends one page or what has been committed since; false when there was nothing to send. */
  step(): boolean {
    if (this.#user === undefined) return false;
    const fresh = this.#held.find((held) => held.needsBootstrap);
    const sent = fresh ? this.#sendPage(fresh) : this.#catchUp();
    if (!this.#held.some((held) => held.needsBootstrap)) this.#answerMarks();
    return sent;
  }

  /** As when its history was trimmed under it. */
  reset(reason: string): void {
    if (this.#held.length === 0) return;
    this.#emit('sync:reset', { reason });
    this.#position = this.#server.heads;
    this.#wholeThrough = undefined;
    for (const held of this.#held) Object.assign(held, { needsBootstrap: true, after: '' });
  }

  #join(fields: Record<string, unknown>, answer: Answer): void {
    this.#user = fields.userId as string;
    const token = typeof fields.checkpoint === 'string' ? (JSON.parse(fields.checkpoint) as Token) : undefined;
    const asked = (fields.subscriptions ?? []) as Record<string, unknown>[];
    this.#position = token?.position ?? this.#server.heads;
    this.#wholeThrough = token?.wholeThrough;
    for (const subscription of asked) this.#hold(subscription, token === undefined || subscription.bootstrap === true);
    answer({
      success: true,
      userId: this.#user,
      timestamp: this.#server.now(),
      protocol: 1,
      historyId: this.#server.historyId,
      checkpoint: this.#token(),
      subscriptionVersion: 1,
      limits: {
        maxBatchSize: this.#settings.maxBatchSize,
        maxMessageBytes: 100_000,
        rateLimitMax: 0,
        rateLimitWindowMs: 0,
      },
    });
    const isForeign = token !== undefined && token.historyId !== this.#server.historyId;
    if (isForeign || this.#server.entriesAfter(this.#position) === undefined)
      this.reset('the checkpoint cannot be served');
  }

  #hold(subscription: Record<string, unknown>, needsBootstrap: boolean): void {
    const {
      id,
      collection,
      filter,
      args = [],
    } = subscription as { id: string; collection: string; filter: string; args?: never[] };
    this.#held.push({ id, collection, matches: predicateOf({ filter, args }), needsBootstrap, after: '' });
  }

  #write(changes: readonly ChangeMessage[], answer: Answer): void {
    const results = changes.map((change) => this.#server.change(this.#user as string, change));
    const successCount = results.filter((ack) => ack.success).length;
    answer({ success: true, results, totalProcessed: results.length, successCount, latency: 1 });
  }

  #subscribe(fields: Record<string, unknown>, answer: Answer): void {
    if (this.#held.length === 0) this.#position = this.#server.heads;
    this.#hold(fields, true);
    answer({ success: true, subscriptionId: fields.id, resumed: false, count: this.#held.length });
  }

  #unsubscribe(fields: Record<string, unknown>, answer: Answer): void {
    this.#held = this.#held.filter((held) => held.id !== fields.subscriptionId);
    answer({ success: true, count: this.#held.length });
  }

  #mark(answer: Answer): void {
    this.#marks.push({ through: this.#server.heads, answer });
  }

  #sendPage(held: Held): boolean {
    const documents = this.#server.documents(held.collection).filter((document) => held.matches(document));
    // Listed by id as a real store does, so that a document written meanwhile is either in a later page or in history.
    const sorted = documents
      .filter((document) => String(document._id) > held.after)
      .sort((a, b) => (String(a._id) < String(b._id) ? -1 : 1));
    const data = sorted.slice(0, this.#settings.page);
    const hasMore = data.length < sorted.length;
    const page = { subscription: held.id, collection: held.collection, data, page: 0, hasMore };
    held.after = String(data.at(-1)?._id ?? '');
    held.needsBootstrap = hasMore;
    if (!hasMore) this.#wholeThrough = this.#server.heads;
    this.#emit('sync:bootstrap', hasMore ? page : { ...page, checkpoint: this.#token() });
    return true;
  }

  #catchUp(): boolean {
    // Without a subscription there is nothing to send, and no position to hold.
    if (this.#held.length === 0) this.#position = this.#server.heads;
    const entries = this.#server.entriesAfter(this.#position);
    if (entries === undefined) {
      this.reset('history is gone');
      return true;
    }
    if (entries.length === 0) return false;
    const messages = entries.flatMap((entry) => this.#messageOf(entry) ?? []);
    this.#position = this.#server.heads;
    if (messages.length > 0) this.#emit('sync:changes', messages, { checkpoint: this.#token() });
    else this.#emit('sync:checkpoint', { checkpoint: this.#token() });
    return true;
  }

  #messageOf(entry: SimulatedEntry): DeliveredMessage | undefined {
    const held = this.#held.filter(({ collection }) => collection === entry.collection);
    const wasIn = entry.before !== undefined && held.some(({ matches }) => matches(entry.before as never));
    const isIn = entry.after !== undefined && held.some(({ matches }) => matches(entry.after as never));
    const { id, author: userId, timestamp, collection, documentId, seq: version, data, unset } = entry;
    const head = { id, userId, timestamp, collection, documentId, version } as const;
    const isWhole = entry.seq <= (this.#wholeThrough?.[entry.lane] ?? 0);
    if (isIn && wasIn && entry.operation === 'update' && !isWhole) {
      return { ...head, operation: 'update', data, ...(unset.length > 0 && { unset: [...unset] }) };
    }
    if (isIn) return { ...head, operation: 'insert', data: { ...entry.after } };
    return wasIn ? { ...head, operation: 'delete', reason: entry.after ? 'left' : 'deleted' } : undefined;
  }

  #answerMarks(): void {
    const isReached = (through: Position) => through.every((seq, lane) => (this.#position[lane] ?? 0) >= seq);
    const reached = this.#held.length === 0 ? this.#marks : this.#marks.filter(({ through }) => isReached(through));
    this.#marks = this.#marks.filter((mark) => !reached.includes(mark));
    for (const { answer } of reached) answer({ success: true, checkpoint: this.#token() });
  }

  #token(): string {
    const token: Token = {
      historyId: this.#server.historyId,
      position: this.#position,
      ...(this.#wholeThrough && { wholeThrough: this.#wholeThrough }),
    };
    return JSON.stringify(token);
  }
}
