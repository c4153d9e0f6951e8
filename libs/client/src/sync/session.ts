import type { JoinAckMessage } from '@tidemark/protocol/core';
import type { Clock } from '../clock.ts';
import type { ConnectionEvent } from '../connection/machine.ts';
import type { Refusal } from '../connection/refusal.ts';
import type { SyncSocket } from '../connection/socket.ts';
import type { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import type { LocalDatabase } from '../local/database.ts';
import { mayRetryLater } from '../retry.ts';
import * as incoming from './incoming.ts';
import { Marks } from './marks.ts';
import type { Receiver } from './receiver.ts';
import { Requests } from './requests.ts';
import type { Settlement } from './settlement.ts';
import type { ActiveSubscription, SubscriptionSet } from './subscription-set.ts';
import { wireSubscription } from './wire-subscription.ts';

export interface SessionOptions {
  readonly database: LocalDatabase;
  readonly subscriptions: SubscriptionSet;
  readonly receiver: Receiver;
  readonly settlement: Settlement;
  readonly clock: Clock;
  readonly socket: SyncSocket;
  readonly auth: { readonly userId?: string };
  readonly token: string | undefined;
  readonly requestTimeoutMs: number;
  readonly events: Emitter<ClientEvents>;
  readonly host: SessionHost;
}

/** Whom a session tells how it goes. */
export interface SessionHost {
  dispatch(event: ConnectionEvent): void;
  /** False: the server takes us for someone else, and the session has ended. */
  accept(ack: JoinAckMessage): boolean;
  /** The session stands: writes may be sent. */
  joined(ack: JoinAckMessage): void;
  tokenExpiring(): Promise<void>;
  refused(refusal: Refusal): void;
  failed(code: string, message: string): void;
}

/** How long a subscription waits that the server could not serve. */
const subscriptionRetryMs = 5_000;
/** Refusals of a join that one of its subscriptions may be to blame for. */
const subscriptionFaults: ReadonlySet<unknown> = new Set(['invalid_query', 'invalid_message', 'forbidden']);
/** Complaints after which the server closes the socket. */
const finalComplaints: ReadonlySet<string> = new Set(['token_expired', 'unauthenticated', 'too_many_connections']);

/** Takes the arguments of an event; false when they have not the agreed shape. */
type Handler = (args: readonly unknown[]) => boolean;

/** The conversation over one socket, from the join to its end. */
export class Session {
  readonly #options: SessionOptions;
  readonly #requests: Requests;
  readonly #marks: Marks;
  readonly #handlers: ReadonlyMap<string, Handler>;
  /** Subscriptions that the server was told about. */
  readonly #onWire = new Set<string>();
  #isJoined = false;
  #isOver = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#requests = new Requests({ ...options, lost: (message) => this.#lost(message) });
    this.#marks = new Marks({
      ...options,
      requests: this.#requests,
      ask: (answered) => this.#askMark(answered),
      arrived: (checkpoint, awaited) =>
        options.database.mutate(() => {
          options.receiver.position(checkpoint);
          options.settlement.arrived(awaited);
        }),
      caughtUp: () => options.host.dispatch({ kind: 'caughtUp' }),
    });
    this.#handlers = this.#makeHandlers();
  }

  get isJoined(): boolean {
    return this.#isJoined && !this.#isOver;
  }

  /** A request that must be answered in time, or the connection counts as lost. */
  request(event: string, payload: unknown, answered: (answer: unknown) => void): void {
    this.#requests.send(event, payload, { answered });
  }

  join(): void {
    const { subscriptions } = this.#options;
    // Not what the server has refused for good.
    const asked = subscriptions.all().filter(({ state }) => state.kind !== 'error' || mayRetryLater(state.code));
    this.#join(asked, subscriptions.coveredIds());
  }

  /** Whether the server holds the subscription for us, or was asked to. */
  knows(id: string): boolean {
    return this.#onWire.has(id);
  }

  /** Tells the server which subscriptions have come and gone. */
  reconcile(): void {
    if (!this.isJoined) return;
    const { subscriptions } = this.#options;
    for (const id of [...this.#onWire]) if (!subscriptions.get(id)) this.#unsubscribe(id);
    for (const active of subscriptions.all()) {
      if (!this.#onWire.has(active.record.id) && active.state.kind === 'pending') this.#subscribe(active);
    }
  }

  /** Asks to be told when all that is committed now has arrived. */
  mark(): void {
    if (this.isJoined) this.#marks.want();
  }

  /** Like `mark`, unless what is awaited comes by itself soon. */
  markSoon(): void {
    if (this.isJoined) this.#marks.wantSoon();
  }

  received(event: string, args: readonly unknown[]): void {
    if (this.#isOver) return;
    this.#requests.heard();
    const handle = this.#handlers.get(event);
    if (handle?.(args) === false) this.#lost(`a ${event} does not have the agreed shape`);
  }

  /** Ends the session with what the server said. */
  refused({ code, error, retryAfterMs }: incoming.Refused): void {
    this.#options.host.refused({ code, message: error, retryAfterMs });
  }

  /** The socket is gone. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#requests.end();
    const { subscriptions, receiver } = this.#options;
    subscriptions.move(['bootstrapping'], { kind: 'pending' });
    receiver.left(subscriptions.leaving());
  }

  #makeHandlers(): ReadonlyMap<string, Handler> {
    const { receiver, host } = this.#options;
    return new Map([
      ['sync:bootstrap', handler(incoming.parseBootstrap, (page) => receiver.bootstrap(page))],
      ['sync:bootstrap_error', handler(incoming.parseBootstrapError, (failure) => this.#bootstrapFailed(failure))],
      [
        'sync:changes',
        handler(incoming.parseChanges, ({ changes, checkpoint }) => receiver.changes(changes, checkpoint)),
      ],
      ['sync:checkpoint', handler(incoming.parseCheckpoint, (token) => receiver.position(token))],
      [
        'sync:reset',
        handler(incoming.parseReset, (reason) => {
          receiver.reset(reason);
          host.dispatch({ kind: 'behind' });
          this.mark();
        }),
      ],
      [
        'sync:drain',
        handler(incoming.parseDrain, (reconnectAfterMs) => host.dispatch({ kind: 'drained', reconnectAfterMs })),
      ],
      ['sync:error', handler(incoming.parseError, (error) => this.#complained(error))],
    ]);
  }

  #join(asked: readonly ActiveSubscription[], covered: ReadonlySet<string>): void {
    const { database, auth, token } = this.#options;
    const { checkpoint, clientId } = database.meta;
    this.#onWire.clear();
    for (const { record } of asked) this.#onWire.add(record.id);
    const payload = {
      protocol: 1,
      clientId,
      // JSON leaves out what is undefined.
      userId: auth.userId,
      token,
      subscriptions:
        asked.length > 0 ? asked.map(({ record }) => wireSubscription(record, covered.has(record.id))) : undefined,
      checkpoint: covered.size > 0 ? checkpoint?.token : undefined,
    };
    this.request('sync:join', payload, (answer) => {
      const ack = incoming.parseAnswer(answer, incoming.parseJoinAck);
      if (!incoming.isRefusal(ack)) this.#joined(ack, asked, covered);
      // One filter that the server does not take refuses the whole join: then each is asked for alone.
      else if (asked.length > 0 && subscriptionFaults.has(ack.code)) this.#join([], new Set());
      else this.refused(ack);
    });
  }

  #joined(ack: JoinAckMessage, asked: readonly ActiveSubscription[], covered: ReadonlySet<string>): void {
    const { host, receiver } = this.#options;
    if (!host.accept(ack)) return;
    this.#isJoined = true;
    if (asked.length === 0) this.#askAgain();
    receiver.joined(asked, covered);
    host.dispatch({ kind: 'joined' });
    host.joined(ack);
    this.reconcile();
    this.mark();
  }

  /** The join named no subscriptions: those that a checkpoint covered are asked for like new ones. */
  #askAgain(): void {
    const { database, subscriptions } = this.#options;
    database.mutate(() => {
      if (subscriptions.move(['complete'], { kind: 'pending' })) database.clearCheckpoint();
    });
  }

  #subscribe(active: ActiveSubscription): void {
    const { id } = active.record;
    this.#onWire.add(id);
    this.#options.host.dispatch({ kind: 'behind' });
    this.request('sync:subscribe', wireSubscription(active.record, false), (answer) => {
      const ack = incoming.parseAnswer(answer);
      if (incoming.isRefusal(ack)) this.#bootstrapFailed({ ...ack, subscription: id });
      else this.#options.receiver.subscribed(id);
    });
    this.mark();
  }

  #unsubscribe(id: string): void {
    this.#onWire.delete(id);
    this.request('sync:unsubscribe', { subscriptionId: id }, () => {
      this.#options.receiver.left(this.#options.subscriptions.leaving().filter(({ record }) => record.id === id));
    });
  }

  #bootstrapFailed(failure: incoming.BootstrapFailure): void {
    const { subscription: id, code, retryAfterMs = subscriptionRetryMs } = failure;
    this.#options.receiver.bootstrapFailed(failure);
    this.#onWire.delete(id);
    if (!mayRetryLater(code)) return;
    this.#requests.after(retryAfterMs, () => {
      if (this.#options.subscriptions.retry(id)) this.reconcile();
    });
  }

  #askMark(answered: (checkpoint: string) => void): void {
    const received = (answer: unknown) => {
      const ack = incoming.parseAnswer(answer, incoming.parseCheckpoint);
      if (typeof ack === 'string') answered(ack);
      else this.#requests.after(ack.retryAfterMs ?? subscriptionRetryMs, () => this.#askMark(answered));
    };
    this.#requests.send('sync:mark', {}, { isPatient: true, answered: received });
  }

  #complained(complaint: incoming.Refused): void {
    const { code, error } = complaint;
    if (code === 'token_expiring') {
      void this.#options.host.tokenExpiring();
      return;
    }
    this.#options.events.emit('problem', { code, message: error });
    if (finalComplaints.has(code)) this.refused(complaint);
  }

  #lost(message: string): void {
    this.#options.host.failed('unavailable', message);
  }
}

function handler<T>(parse: (...args: readonly unknown[]) => T | undefined, handle: (message: T) => void): Handler {
  return (args) => {
    const message = parse(...args);
    if (message !== undefined) handle(message);
    return message !== undefined;
  };
}
