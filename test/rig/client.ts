import type {
  AckMessage,
  AuthAckMessage,
  BatchAckMessage,
  BootstrapMessage,
  ChangesPageMessage,
  DeliveredMessage,
  JoinAckMessage,
  MarkAckMessage,
  PongMessage,
  ResetMessage,
  SubscribeAckMessage,
  UnsubscribeAckMessage,
  UpdateSubscriptionsAckMessage,
} from '@tidemark/protocol';
import { io, type Socket } from 'socket.io-client';
import { View } from './view.ts';

interface Refusal {
  readonly code?: string;
  readonly error?: string;
  readonly retryAfterMs?: number;
}
type Answered<T> = Omit<T, 'success'> & { readonly success: boolean } & Refusal;

/** What the server answers; of a refusal only the refusal's fields are there. */
export interface Answers {
  'sync:join': Answered<JoinAckMessage>;
  'sync:auth': Answered<AuthAckMessage>;
  'sync:change': AckMessage;
  'sync:changeBatch': BatchAckMessage;
  'sync:batch_changes': AckMessage[];
  'sync:subscribe': Answered<SubscribeAckMessage>;
  'sync:unsubscribe': Answered<UnsubscribeAckMessage>;
  'sync:update_subscriptions': Answered<UpdateSubscriptionsAckMessage>;
  'sync:get_changes': Answered<ChangesPageMessage>;
  'sync:mark': Answered<MarkAckMessage>;
  mongoUpsert: string;
  mongoDelete: { readonly success: boolean; readonly error?: string; readonly conflict?: boolean } | 'error';
  ping: PongMessage;
}

export interface ConnectOptions {
  /** Stated in `sync:join`, in development. */
  readonly userId?: string;
  /** In the handshake, as `auth.token`. */
  readonly token?: string;
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly transport?: 'websocket' | 'polling';
  /** What the client holds already, from an earlier socket. */
  readonly view?: View;
}

/** One event that the server sent. */
export interface Received {
  readonly event: string;
  readonly args: readonly unknown[];
}

const answerWithin = 15_000;

/** A connected socket, with everything that it was sent. */
export class TestClient implements AsyncDisposable {
  readonly socket: Socket;
  readonly received: Received[] = [];
  readonly view: View;
  private readonly userId: string | undefined;
  private readonly cursors = new Map<string, number>();
  private readonly wakers = new Set<() => void>();

  constructor(socket: Socket, { userId, view }: Pick<ConnectOptions, 'userId' | 'view'>) {
    this.socket = socket;
    this.userId = userId;
    this.view = view ?? new View();
    socket.onAny((event: string, ...args: unknown[]) => this.receive({ event, args }));
    socket.on('disconnect', () => this.receive({ event: 'disconnect', args: [] }));
  }

  /** Joins as the user that it was connected for, and has heard of it when it resolves. Throws when it is refused. */
  async join(options: Readonly<Record<string, unknown>> = {}): Promise<Answers['sync:join']> {
    const heard = this.payloads('joined').length;
    const answer = await this.call('sync:join', {
      ...(this.userId !== undefined && { userId: this.userId }),
      ...options,
    });
    if (options.protocol === undefined) this.view.isPartial = true;
    if (!answer.success) throw new Error(`the join was refused: ${answer.code} ${answer.error}`);
    // It follows the answer, from another process perhaps a moment later.
    await this.until(() => this.payloads('joined').length > heard, 'joined follows the answer');
    return answer;
  }

  /** Subscribes and waits for the last page. */
  async subscribe(
    collection: string,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Answers['sync:subscribe']> {
    const answer = await this.call('sync:subscribe', { collection, ...more });
    if (!answer.success) throw new Error(`the subscription was refused: ${answer.code} ${answer.error}`);
    if (more.bootstrap === false) this.view.isPartial = true;
    else if (!answer.resumed) await this.bootstrapped(answer.subscriptionId);
    return answer;
  }

  /** Resolves with the last page of a subscription's bootstrap. */
  bootstrapped(subscription: string): Promise<BootstrapMessage> {
    return this.next<BootstrapMessage>('sync:bootstrap', (page) => page.subscription === subscription && !page.hasMore);
  }

  call<E extends keyof Answers>(event: E, payload?: unknown): Promise<Answers[E]> {
    return this.ask(event, payload) as Promise<Answers[E]>;
  }

  /** Any event with any arguments and a callback; rejects when no answer comes. The answer takes its place in `received`, too. */
  ask(event: string, ...args: readonly unknown[]): Promise<unknown> {
    const sent = args.length === 1 && args[0] === undefined ? [] : args;
    return new Promise((resolve, reject) => {
      this.socket.timeout(answerWithin).emit(event, ...sent, (error: Error | null, answer: unknown) => {
        if (error !== null) return reject(new Error(`no answer to ${event} within ${answerWithin} ms`));
        this.receive({ event: `ack of ${event}`, args: [answer] });
        resolve(answer);
      });
    });
  }

  /** Makes a change and expects success. */
  async write(change: Readonly<Record<string, unknown>>): Promise<AckMessage> {
    const ack = await this.call('sync:change', { operation: 'insert', ...change });
    if (!ack.success) throw new Error(`the change was refused: ${JSON.stringify(ack)}`);
    return ack;
  }

  /** Everything committed before the call has arrived. */
  async mark(): Promise<string> {
    const { success, checkpoint, error } = await this.call('sync:mark', {});
    if (!success) throw new Error(`no mark: ${error}`);
    return checkpoint;
  }

  /**
   * The first argument of the next event of that name for which the test holds, among those not taken before. Events of the
   * name that came earlier count as taken then, too.
   */
  async next<T = Readonly<Record<string, unknown>>>(
    event: string,
    test: (payload: T, ...more: readonly unknown[]) => boolean = () => true,
    within = answerWithin,
  ): Promise<T> {
    const find = () => {
      for (let index = this.cursors.get(event) ?? 0; index < this.received.length; index++) {
        const received = this.received[index];
        if (received?.event !== event || !test(received.args[0] as T, ...received.args.slice(1))) continue;
        this.cursors.set(event, index + 1);
        return received;
      }
      return undefined;
    };
    const found = find() ?? (await this.wait(find, `${event} has come`, within));
    return found.args[0] as T;
  }

  /** Resolves when the condition holds, which is asked again after each event. */
  async until(condition: () => boolean, what = 'a condition', within = answerWithin): Promise<void> {
    if (condition()) return;
    await this.wait(() => (condition() ? true : undefined), what, within);
  }

  /** Resolves when the server, or the test, has ended the connection. */
  disconnected(): Promise<unknown> {
    return this.socket.connected ? this.next('disconnect') : Promise.resolve();
  }

  /** All changes delivered so far, in order. */
  deliveries(collection?: string): DeliveredMessage[] {
    return this.payloads<DeliveredMessage[]>('sync:changes')
      .flat()
      .filter((message) => collection === undefined || message.collection === collection);
  }

  /** First arguments of all events of the name. */
  payloads<T = Readonly<Record<string, unknown>>>(event: string): T[] {
    return this.received.filter((received) => received.event === event).map((received) => received.args[0] as T);
  }

  /** Forgets what came so far; the view stays. */
  forget(): void {
    this.received.length = 0;
    this.cursors.clear();
  }

  close(): void {
    this.socket.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    if (this.view.faults.length > 0) throw new Error(this.view.faults.join('\n'));
  }

  private wait<T>(find: () => T | undefined, what: string, within: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.wakers.delete(look);
        settle();
      };
      const look = () => {
        const found = find();
        if (found !== undefined) end(() => resolve(found));
      };
      const timer = setTimeout(() => end(() => reject(new Error(this.lateness(what, within)))), within);
      this.wakers.add(look);
    });
  }

  private lateness(what: string, within: number): string {
    const last = this.received.slice(-5).map((received) => JSON.stringify(received).slice(0, 300));
    return `not within ${within} ms: ${what}; the last events were\n${last.join('\n')}`;
  }

  private receive(received: Received): void {
    this.received.push(received);
    const [first, second] = received.args;
    if (received.event === 'sync:bootstrap') this.view.bootstrap(first as BootstrapMessage);
    if (received.event === 'sync:changes')
      this.view.changes(first as DeliveredMessage[], second as { checkpoint: string });
    if (received.event === 'sync:reset') this.view.reset(first as ResetMessage);
    if (received.event === 'sync:checkpoint') this.view.checkpoint = (first as { checkpoint: string }).checkpoint;
    for (const wake of [...this.wakers]) wake();
  }
}

/** The error of a refused handshake; `data` is what the server said. */
export class HandshakeRefused extends Error {
  readonly data: Refusal;

  constructor(error: Error & { readonly data?: Refusal }) {
    super(`the handshake was refused: ${error.message}`);
    this.data = error.data ?? {};
  }
}

/** Throws HandshakeRefused. */
export async function connectClient(url: string, options: ConnectOptions = {}): Promise<TestClient> {
  const { token, auth, query, headers, transport = 'websocket' } = options;
  const socket = io(url, {
    transports: [transport],
    forceNew: true,
    reconnection: false,
    ...((token !== undefined || auth !== undefined) && { auth: { ...(token !== undefined && { token }), ...auth } }),
    ...(query !== undefined && { query: { ...query } }),
    ...(headers !== undefined && { extraHeaders: { ...headers } }),
  });
  const client = new TestClient(socket, options);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.disconnect();
      reject(new HandshakeRefused(error));
    });
  });
  return client;
}
