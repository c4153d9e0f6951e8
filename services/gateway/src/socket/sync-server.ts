import type { Server as HttpServer } from 'node:http';
import type { ConnectionCounter, Identity } from '@tidemark/access';
import { type Millis, SyncError } from '@tidemark/protocol';
import type { Telemetry } from '@tidemark/telemetry';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import type { GatewaySettings } from '../settings.ts';
import { AddressPlaces, type RawConnection } from './address-places.ts';
import { Connection } from './connection.ts';
import { type Dispatcher, emitError, incomingEvent } from './dispatcher.ts';
import { handshakeToken, type TokenReader } from './handshake.ts';
import { MessageSizes, type PacketSource } from './message-sizes.ts';

export interface SyncServerDeps {
  readonly http: HttpServer;
  readonly perAddress: ConnectionCounter;
  readonly tokens: TokenReader;
  readonly telemetry: Telemetry;
  readonly settings: GatewaySettings;
  readonly adapter?: ServerOptions['adapter'];
  readonly now: () => Millis;
  /** Frees what the connection held. */
  readonly onClosed: (connection: Connection) => void;
}

const sweepMs = 1_000;
const expiryWarningMs = 60_000;

/** The Socket.IO side of the gateway: handshakes, sockets and their end. */
export class SyncServer {
  readonly io: Server;
  readonly connections = new Map<string, Connection>();
  private readonly deps: SyncServerDeps;
  private readonly sizes: MessageSizes;
  private readonly places: AddressPlaces;
  private sweeper: NodeJS.Timeout | undefined;
  /** Set while draining: when a client should come back. */
  private reconnectAfterMs: (() => Millis) | undefined;

  constructor(deps: SyncServerDeps) {
    const { settings } = deps;
    this.deps = deps;
    this.sizes = new MessageSizes(settings.maxMessageBytes);
    this.places = new AddressPlaces(deps.perAddress, settings);
    this.io = new Server(deps.http, {
      // Past twice the limit the connection is closed; up to there the message is refused with an answer.
      maxHttpBufferSize: settings.maxMessageBytes * 2,
      cors: { origin: settings.allowedOrigins === '*' ? '*' : [...settings.allowedOrigins] },
      perMessageDeflate: false,
      httpCompression: false,
      serveClient: false,
      // A connection that does not become a socket goes as soon as a socket that does not join.
      connectTimeout: settings.joinTimeoutMs,
      ...(deps.adapter && { adapter: deps.adapter }),
    });
  }

  start(dispatcher: Dispatcher): void {
    const identities = new WeakMap<Socket, Identity>();
    this.io.engine.on('connection', (raw: RawConnection & PacketSource) => {
      this.sizes.watch(raw);
      this.places.enter(raw);
    });
    this.io.use((socket, next) => {
      this.admit(socket).then(
        (identity) => {
          if (identity !== undefined) identities.set(socket, identity);
          next();
        },
        (error: unknown) => next(handshakeError(error)),
      );
    });
    this.io.on('connection', (socket) => this.accept(socket, { dispatcher, identity: identities.get(socket) }));
    this.sweeper = setInterval(() => this.sweep(), sweepMs);
  }

  /** Tells every client to go elsewhere, at times spread over the span; those too that come from now on. */
  announceDrain(spanMs: Millis, random: () => number): void {
    if (this.reconnectAfterMs !== undefined) return;
    this.reconnectAfterMs = () => Math.round(random() * spanMs);
    for (const { socket } of this.connections.values()) this.sendAway(socket);
  }

  async stop(): Promise<void> {
    clearInterval(this.sweeper);
    await this.io.close();
  }

  private sendAway(socket: Socket): void {
    if (this.reconnectAfterMs !== undefined) socket.emit('sync:drain', { reconnectAfterMs: this.reconnectAfterMs() });
  }

  private async admit(socket: Socket): Promise<Identity | undefined> {
    const { tokens, telemetry } = this.deps;
    if (!(await this.places.holds(socket.conn as unknown as RawConnection))) {
      telemetry.metrics.refusedConnections('address').inc();
      closeSoon(socket);
      throw new SyncError('too_many_connections', 'the address has too many connections', { retryAfterMs: 5_000 });
    }
    try {
      return await tokens.identify(handshakeToken(socket.handshake));
    } catch (error) {
      telemetry.metrics.refusedConnections('unauthenticated').inc();
      closeSoon(socket);
      throw error;
    }
  }

  private accept(
    socket: Socket,
    { dispatcher, identity }: { dispatcher: Dispatcher; identity: Identity | undefined },
  ): void {
    const { settings, now, telemetry, onClosed } = this.deps;
    const connection = new Connection(socket, { identity, slowClientBytes: settings.slowClientBytes, now: now() });
    this.connections.set(socket.id, connection);
    // Engine.IO keeps the request of the handshake alive; nothing needs it any more, and it is most of an idle connection.
    (socket.conn as { request: unknown }).request = null;
    telemetry.metrics.connections.inc();
    // The middleware takes every event, known or not, in the order in which they were decoded: nothing is passed on to listeners.
    socket.use((packet) => void dispatcher.dispatch(connection, incomingEvent(packet, this.sizes.take(socket.conn))));
    socket.on('disconnect', () => {
      this.connections.delete(socket.id);
      telemetry.metrics.connections.dec();
      onClosed(connection);
    });
    this.sendAway(socket);
  }

  /** Ends sessions whose token has run out, warns those that soon will, and drops sockets that never joined. */
  private sweep(): void {
    const now = this.deps.now();
    for (const connection of this.connections.values()) {
      const { session, socket } = connection;
      if (session === undefined) {
        if (now - connection.connectedAt > this.deps.settings.joinTimeoutMs) socket.disconnect(true);
      } else if (session.expiresAt !== undefined) {
        this.watchExpiry(connection, session.expiresAt - now);
      }
    }
  }

  private watchExpiry(connection: Connection, leftMs: number): void {
    if (leftMs <= 0) {
      emitError(connection, undefined, new SyncError('token_expired', 'the token of the session has expired'));
      connection.socket.disconnect(true);
    } else if (leftMs <= expiryWarningMs && !connection.warnedOfExpiry) {
      connection.warnedOfExpiry = true;
      connection.socket.emit('sync:error', {
        code: 'token_expiring',
        error: 'the token of the session expires soon: send sync:auth',
      });
    }
  }
}

/** Engine.IO would wait for its time-out; the refusal itself must still go out first. */
function closeSoon(socket: Socket): void {
  setTimeout(() => socket.conn.close(), 200).unref();
}

function handshakeError(error: unknown): Error {
  const known = SyncError.is(error) ? error : new SyncError('internal', 'the handshake failed');
  return Object.assign(new Error(known.message), {
    data: {
      code: known.code,
      error: known.message,
      ...(known.retryAfterMs !== undefined && { retryAfterMs: known.retryAfterMs }),
    },
  });
}
