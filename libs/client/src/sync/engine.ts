import type { JoinAckMessage, Millis } from '@tidemark/protocol/core';
import type { Cancel, Clock } from '../clock.ts';
import type { BackoffSettings } from '../connection/backoff.ts';
import {
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  transition,
} from '../connection/machine.ts';
import { type Refusal, refusalEvent } from '../connection/refusal.ts';
import type { SocketClosed, SocketFactory, SyncSocket } from '../connection/socket.ts';
import type { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import type { LocalDatabase } from '../local/database.ts';
import type { OutboxEntry } from '../local/records.ts';
import { textOf } from '../store-error.ts';
import type { ConnectionCommand, SyncDriver } from './driver.ts';
import { isRefusal, parseAnswer } from './incoming.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { Session, type SessionHost } from './session.ts';
import { Settlement } from './settlement.ts';
import type { SubscriptionSet } from './subscription-set.ts';

/** A token, or where to get a fresh one: asked before every connection and when the server says that the token expires. */
export type TokenSource = string | (() => string | Promise<string>);

export interface EngineOptions {
  readonly url: string;
  readonly auth: { readonly token?: TokenSource; readonly userId?: string };
  readonly socket: SocketFactory;
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: BackoffSettings;
  readonly requestTimeoutMs: Millis;
  readonly database: LocalDatabase;
  readonly subscriptions: SubscriptionSet;
  readonly events: Emitter<ClientEvents>;
  readonly isStored: (entry: OutboxEntry) => boolean;
  /** The connection has moved on. */
  readonly changed: () => void;
  /** A mark was answered: what was committed before it was asked for is here. */
  readonly caughtUp: () => void;
}

/** Runs the connection machine: does what it says, tells it what happens. */
export class SyncEngine implements SyncDriver, SessionHost {
  readonly #options: EngineOptions;
  readonly #settlement: Settlement;
  readonly #receiver: Receiver;
  readonly #unwatch: () => void;
  #state: ConnectionState = { kind: 'paused' };
  /** Grows with every socket: what comes from an older one is not heard. */
  #generation = 0;
  #socket: SyncSocket | undefined;
  #session: Session | undefined;
  #sender: Sender | undefined;
  #token: string | undefined;
  /** Of the wait, or of the time that a socket has to open. */
  #cancelTimer: Cancel | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#settlement = new Settlement(options);
    this.#receiver = new Receiver({ ...options, settlement: this.#settlement });
    this.#unwatch = options.subscriptions.watch({
      added: () => this.reconcile(),
      removed: (ended) => {
        if (this.#session?.knows(ended.record.id)) this.reconcile();
        else this.#receiver.left([ended]);
      },
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  command(command: ConnectionCommand): void {
    this.dispatch({ kind: command });
  }

  dispatch(event: ConnectionEvent): void {
    const { random, backoff } = this.#options;
    const before = this.#state;
    const { state, effects } = transition(before, event, { random: random(), backoff });
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (state !== before) this.#options.changed();
    if (event.kind === 'caughtUp') this.#options.caughtUp();
  }

  /** Something is in the outbox and in the store. */
  pump(): void {
    this.#sender?.pump();
  }

  /** Asks the server to say when everything has arrived; `caughtUp` follows. */
  mark(): void {
    this.#session?.mark();
  }

  /** Subscriptions that were refused may be asked for again. */
  reconcile(): void {
    this.#session?.reconcile();
  }

  close(): void {
    this.dispatch({ kind: 'close' });
    this.#unwatch();
  }

  #perform(effect: ConnectionEffect): void {
    switch (effect.kind) {
      case 'open':
        this.#open();
        break;
      case 'shut':
        this.#shut();
        break;
      case 'join':
        this.#join();
        break;
      case 'wait':
        this.#cancelTimer = this.#options.clock.after(effect.ms, () => this.dispatch({ kind: 'timer' }));
    }
  }

  #open(): void {
    this.#generation += 1;
    const generation = this.#generation;
    const { auth, clock, requestTimeoutMs } = this.#options;
    this.#cancelTimer = clock.after(requestTimeoutMs, () => {
      this.failed('unavailable', `the connection did not open within ${requestTimeoutMs} ms`);
    });
    if (typeof auth.token === 'function') void this.#connectWithFreshToken(generation, auth.token);
    else this.#connect(generation, auth.token);
  }

  async #connectWithFreshToken(generation: number, getToken: () => string | Promise<string>): Promise<void> {
    try {
      this.#connect(generation, await getToken());
    } catch (error) {
      if (generation === this.#generation) this.failed('unauthenticated', `no token: ${textOf(error)}`);
    }
  }

  #connect(generation: number, token: string | undefined): void {
    if (generation !== this.#generation || this.#state.kind !== 'connecting') return;
    this.#token = token;
    const isCurrent = () => generation === this.#generation;
    this.#socket = this.#options.socket(
      { url: this.#options.url, token },
      {
        opened: () => isCurrent() && this.dispatch({ kind: 'opened' }),
        closed: (reason) => isCurrent() && this.#closed(reason),
        received: (event, args) => isCurrent() && this.#session?.received(event, args),
      },
    );
  }

  #closed({ code, ...reason }: SocketClosed): void {
    if (code === undefined) this.failed('unavailable', reason.message);
    else this.refused({ code, ...reason });
  }

  /** The server does not want us; one whose token can be renewed may try again. */
  refused(refusal: Refusal): void {
    this.dispatch(refusalEvent(refusal, typeof this.#options.auth.token === 'function'));
  }

  /** The connection is of no use any more. */
  failed(code: string, message: string): void {
    this.dispatch({ kind: 'failed', problem: { code, message } });
  }

  #shut(): void {
    this.#generation += 1;
    this.#cancelTimer?.();
    this.#sender?.stop();
    this.#session?.end();
    this.#socket?.close();
    this.#sender = undefined;
    this.#session = undefined;
    this.#socket = undefined;
  }

  #join(): void {
    this.#cancelTimer?.();
    if (!this.#socket) return;
    this.#session = new Session({
      ...this.#options,
      receiver: this.#receiver,
      settlement: this.#settlement,
      socket: this.#socket,
      token: this.#token,
      host: this,
    });
    this.#session.join();
  }

  /** Returns false when the store is another user's: nothing of it may be sent. */
  accept(ack: JoinAckMessage): boolean {
    const { database, events } = this.#options;
    const owner = database.meta.userId;
    if (owner !== undefined && owner !== ack.userId) {
      const message = `the local store holds the data of ${owner}, the server knows us as ${ack.userId}`;
      const problem = { code: 'wrong_user', message };
      this.dispatch({ kind: 'refused', problem, retry: false });
      events.emit('problem', problem);
      return false;
    }
    database.clock.alignWith(ack.timestamp);
    if (owner === undefined) database.mutate(() => database.setMeta({ userId: ack.userId }));
    return true;
  }

  /** Starts to send what waits; called once the session stands. */
  joined(ack: JoinAckMessage): void {
    const session = this.#session;
    if (!session) return;
    this.#sender = new Sender({
      ...this.#options,
      settlement: this.#settlement,
      limits: ack.limits,
      session,
    });
    this.#sender.pump();
  }

  /** Sends a fresh token, if there is one to be had. */
  async tokenExpiring(): Promise<void> {
    const { auth, events } = this.#options;
    const session = this.#session;
    if (typeof auth.token !== 'function' || !session) return;
    try {
      const token = await auth.token();
      if (this.#session !== session) return;
      this.#token = token;
      const answer = await new Promise<unknown>((resolve) => session.request('sync:auth', { token }, resolve));
      const ack = parseAnswer(answer);
      if (isRefusal(ack)) throw new Error(ack.error);
    } catch (error) {
      events.emit('problem', { code: 'token_expired', message: `the token was not renewed: ${textOf(error)}` });
    }
  }
}
