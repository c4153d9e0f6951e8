import { type Millis, SyncError } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import { type Door, type Reply, refusal, retryOf } from '../doors/door.ts';
import type { Connection } from './connection.ts';

type Callback = (answer: unknown) => void;

export interface DispatcherDeps {
  readonly doors: Readonly<Record<string, Door>>;
  /** Gives a session to a socket that has a token but did not join. */
  readonly joinSilently: (connection: Connection) => Promise<void>;
  readonly telemetry: Telemetry;
  readonly now: () => Millis;
}

/** One event as it came from the wire. */
export interface IncomingEvent {
  readonly name: string;
  readonly payload: unknown;
  readonly callback: Callback | undefined;
  /** The message is over the limit. */
  readonly oversized: boolean;
}

/** Name, payload and callback of a Socket.IO packet; what else it holds is ignored. */
export function incomingEvent(packet: readonly unknown[], oversized: boolean): IncomingEvent {
  const [name, ...args] = packet;
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as Callback) : undefined;
  const payload = typeof args[0] === 'function' ? undefined : args[0];
  return { name: String(name), payload, callback, oversized };
}

/** Leads events to their doors, and what the doors say back to the socket. Nothing that a client sends makes it throw. */
export class Dispatcher {
  private readonly deps: DispatcherDeps;

  constructor(deps: DispatcherDeps) {
    this.deps = deps;
  }

  async dispatch(connection: Connection, event: IncomingEvent): Promise<void> {
    const door = Object.hasOwn(this.deps.doors, event.name) ? this.deps.doors[event.name] : undefined;
    if (door === undefined) return this.refuse(connection, event, { door, error: unknownEvent(event.name) });
    if (connection.link.isOverfull()) return void connection.socket.conn.close(true);
    try {
      if (event.oversized) throw new SyncError('too_large', 'the message is larger than limits.maxMessageBytes');
      await connection.run(() => this.enter(connection, door, event));
    } catch (error) {
      this.refuse(connection, event, { door, error: this.translate(error, event) });
    }
  }

  private enter(connection: Connection, door: Door, event: IncomingEvent): Promise<void> {
    const reply = (handle: () => Promise<Reply>) => this.reply({ connection, door, event }, handle);
    if (door.kind === 'open') return reply(() => door.handle(connection, event.payload));
    // What must not be overtaken is over when it is answered: then the next one begins.
    if (door.kind === 'join') return connection.inOrder(() => reply(() => door.handle(connection, event.payload)));
    if (door.kind === 'ordered')
      return connection.inOrder(() => reply(() => this.withSession(connection, door, event)));
    return connection.settling === undefined && connection.session !== undefined
      ? reply(() => this.withSession(connection, door, event))
      : reply(() => this.whenSettled(connection, door, event));
  }

  /** Handles the event and says what came of it. */
  private async reply(
    { connection, door, event }: { connection: Connection; door: Door; event: IncomingEvent },
    handle: () => Promise<Reply>,
  ): Promise<void> {
    try {
      this.answer(connection, event, await handle());
    } catch (error) {
      this.refuse(connection, event, { door, error: this.translate(error, event) });
    }
  }

  private async whenSettled(connection: Connection, door: Door, event: IncomingEvent): Promise<Reply> {
    // Without a pause before the join begins: what comes next must find it under way, and wait its turn.
    if (connection.settling !== undefined) await connection.settling;
    if (connection.session === undefined && connection.identity !== undefined) {
      await connection.inOrder(() => this.deps.joinSilently(connection));
    }
    return this.withSession(connection, door, event);
  }

  private async withSession(connection: Connection, door: Door, event: IncomingEvent): Promise<Reply> {
    if (connection.session === undefined) await this.deps.joinSilently(connection);
    const { expiresAt } = connection.requireSession();
    const isRefresh = event.name === 'sync:auth';
    if (expiresAt !== undefined && expiresAt <= this.deps.now() && !isRefresh)
      throw new SyncError('token_expired', 'the token of the session has expired');
    return door.handle(connection, event.payload);
  }

  private answer(connection: Connection, event: IncomingEvent, reply: Reply): void {
    if (event.callback !== undefined) event.callback(reply.answer);
    else if (reply.unasked !== undefined) reply.unasked();
    else for (const failure of reply.failures ?? []) emitError(connection, event.name, failure);
    reply.afterwards?.();
  }

  private refuse(
    connection: Connection,
    event: IncomingEvent,
    { door, error }: { door: Door | undefined; error: SyncError },
  ): void {
    this.deps.telemetry.metrics.rejections(error.code).inc();
    const worded = door?.reword?.(error, event.payload) ?? error;
    if (event.callback === undefined) emitError(connection, event.name, worded);
    else event.callback(door === undefined ? refusal(worded) : door.refuse(worded, event.payload));
  }

  private translate(error: unknown, event: IncomingEvent): SyncError {
    if (SyncError.is(error)) return error;
    if (StoreError.is(error, 'unavailable')) {
      return new SyncError('unavailable', 'the store does not answer now', { retryAfterMs: 1_000, cause: error });
    }
    if (StoreError.is(error, 'trimmed'))
      return new SyncError('reset_required', 'the history asked for is no longer retained', { cause: error });
    this.deps.telemetry.logger.error({ err: error, event: event.name }, 'an event could not be handled');
    return new SyncError('internal', 'the server failed; the log has the cause', { cause: error });
  }
}

function unknownEvent(name: string): SyncError {
  return new SyncError('invalid_message', `there is no event ${JSON.stringify(name.slice(0, 60))}`);
}

export function emitError(connection: Connection, event: string | undefined, error: SyncError): void {
  connection.socket.emit('sync:error', {
    ...(event !== undefined && { event: event.slice(0, 60) }),
    code: error.code,
    error: error.message,
    ...retryOf(error),
  });
}
