import type { ConnectionCounter, Identity, Rules } from '@tidemark/access';
import { brandAs, type JoinMessage, type Millis, SyncError, type UserId, upMessages } from '@tidemark/protocol';
import type { Telemetry } from '@tidemark/telemetry';
import type { FanOut } from '../read/fan-out.ts';
import type { HistoryReader } from '../read/history-reader.ts';
import type { SubscriptionRequest } from '../read/subscription.ts';
import type { GatewaySettings } from '../settings.ts';
import { type Connection, userRoom } from '../socket/connection.ts';
import type { TokenReader } from '../socket/handshake.ts';
import { type Session, statedIdentity } from '../socket/session.ts';
import { type Door, type Reply, refusal } from './door.ts';
import { parseMessage } from './parse-message.ts';
import type { Subscribing } from './subscribing.ts';

/** The version of the protocol that this server speaks. */
export const protocolVersion = 1;

export interface SessionDoorsDeps {
  readonly tokens: TokenReader;
  readonly rules: Rules;
  readonly perUser: ConnectionCounter;
  readonly subscribing: Subscribing;
  readonly reader: HistoryReader;
  readonly fanOut: () => FanOut;
  readonly telemetry: Telemetry;
  readonly settings: GatewaySettings;
  readonly now: () => Millis;
}

/** The doors that say who a socket is. */
export class SessionDoors {
  private readonly deps: SessionDoorsDeps;

  constructor(deps: SessionDoorsDeps) {
    this.deps = deps;
  }

  doors(): Readonly<Record<string, Door>> {
    return {
      'sync:join': { kind: 'join', handle: (connection, payload) => this.join(connection, payload), refuse: refusal },
      'sync:auth': {
        kind: 'ordered',
        handle: (connection, payload) => this.refresh(connection, payload),
        refuse: refusal,
      },
      ping: { kind: 'open', handle: (connection, payload) => this.ping(connection, payload), refuse: refusal },
    };
  }

  /** A session for a socket that came with a token and did not join: an old client that starts to write at once. */
  async joinSilently(connection: Connection): Promise<void> {
    if (connection.session !== undefined || connection.identity === undefined) return;
    await this.open(connection, connection.identity, undefined);
  }

  private async join(connection: Connection, payload: unknown): Promise<Reply> {
    const message = parseMessage(upMessages['sync:join'], payload ?? {});
    if (message.protocol != null && message.protocol !== protocolVersion) {
      throw new SyncError('unsupported_protocol', `this server speaks protocol ${protocolVersion}`);
    }
    const stated = await this.deps.tokens.identify(message.token || undefined);
    const identity = this.identityOf(connection, message, stated);
    const known = connection.session;
    if (known !== undefined && known.userId !== identity.userId)
      throw new SyncError('forbidden', 'the socket belongs to another user');
    const session = sessionOf(identity, { rules: this.deps.rules, protocol: message.protocol });
    const requests = message.subscriptions
      ? this.deps.subscribing.parseSet(message.subscriptions, session.author)
      : undefined;
    if (known === undefined) await this.open(connection, identity, message.protocol);
    else this.renew(connection, session);
    if (identity === stated) connection.identity = identity;
    const start = await this.startStream(connection, message, requests).catch((error: unknown) => {
      this.applyRights(connection);
      throw error;
    });
    return this.joinReply(connection, {
      start: () => {
        this.applyRights(connection);
        start();
      },
      subscriptionIds: requests?.map((request) => request.id),
    });
  }

  private async startStream(
    connection: Connection,
    message: JoinMessage,
    requests: readonly SubscriptionRequest[] | undefined,
  ): Promise<() => void> {
    const { subscribing } = this.deps;
    const checkpoint = message.checkpoint ?? undefined;
    if (requests !== undefined) {
      const start = await subscribing.replace(connection, requests, checkpoint);
      connection.subscriptionVersion++;
      return start;
    }
    const session = connection.requireSession();
    const isFresh = connection.stream?.isFresh ?? true;
    if (session.modern || connection.wildcard !== undefined || !isFresh) return () => undefined;
    const { start } = await subscribing.begin(connection, [], checkpoint);
    subscribing.openWildcard(connection, session);
    return start;
  }

  private joinReply(
    connection: Connection,
    joined: {
      start: () => void;
      subscriptionIds: readonly string[] | undefined;
    },
  ): Reply {
    const { settings, reader, now } = this.deps;
    const session = connection.requireSession();
    const { userId } = session;
    const timestamp = now();
    const subscriptionVersion = connection.subscriptionVersion;
    const answer = {
      success: true,
      userId,
      timestamp,
      protocol: protocolVersion,
      historyId: reader.historyId,
      checkpoint: connection.stream?.resumedFrom ?? this.deps.fanOut().token(session.rights),
      subscriptionVersion,
      ...(joined.subscriptionIds && { subscriptionIds: joined.subscriptionIds }),
      limits: {
        maxBatchSize: settings.maxBatchSize,
        maxMessageBytes: settings.maxMessageBytes,
        rateLimitMax: settings.rateLimitMax,
        rateLimitWindowMs: settings.rateLimitWindowMs,
      },
    };
    const afterwards = () => {
      connection.socket.emit('joined', { userId, timestamp, subscriptionVersion });
      joined.start();
    };
    return { answer, afterwards };
  }

  /**
   * The handshake decides, unless its token has run out meanwhile; later a fresh token of the same user counts. Only without
   * any token a client of a development server says who it is.
   */
  private identityOf(connection: Connection, message: JoinMessage, stated: Identity | undefined): Identity {
    const { settings, now } = this.deps;
    const { identity: held, session } = connection;
    const isOver = held?.expiresAt !== undefined && held.expiresAt <= now();
    if (stated !== undefined && (held === undefined || isOver || session !== undefined)) return stated;
    if (held !== undefined) return held;
    if (!settings.development) throw new SyncError('unauthenticated', 'a token is required');
    const userId = message.userId ?? session?.userId;
    if (!userId) throw new SyncError('unauthenticated', 'send a token, or in development a userId');
    return statedIdentity(brandAs<UserId>(userId));
  }

  /** Takes a place among the user's connections. Throws `too_many_connections`, and then closes the socket. */
  private async open(connection: Connection, identity: Identity, protocol: number | null | undefined): Promise<void> {
    if (identity.expiresAt !== undefined && identity.expiresAt <= this.deps.now())
      throw new SyncError('token_expired', 'the token has expired');
    const release = await this.deps.perUser.acquire(identity.userId);
    if (release === undefined) {
      this.deps.telemetry.metrics.refusedConnections('user').inc();
      setImmediate(() => connection.socket.disconnect(true));
      throw new SyncError('too_many_connections', 'the user has too many connections', { retryAfterMs: 5_000 });
    }
    connection.hold(release);
    connection.session = sessionOf(identity, { rules: this.deps.rules, protocol });
    this.deps.telemetry.metrics.sessions.inc();
    await connection.socket.join(userRoom(identity.userId));
  }

  /** The same user with a fresh token. What the stream is was settled when it began. */
  private renew(connection: Connection, session: Session): void {
    const known = connection.requireSession();
    connection.session = connection.stream === undefined ? session : { ...session, modern: known.modern };
    connection.warnedOfExpiry = false;
  }

  private async refresh(connection: Connection, payload: unknown): Promise<Reply> {
    const known = connection.requireSession();
    const { token } = parseMessage(upMessages['sync:auth'], payload);
    const identity = await this.deps.tokens.identify(token);
    if (identity === undefined) return { answer: { success: true } };
    if (identity.userId !== known.userId) throw new SyncError('forbidden', 'the token is for another user');
    const session = sessionOf(identity, { rules: this.deps.rules, protocol: undefined });
    this.renew(connection, { ...session, modern: known.modern });
    connection.identity = identity;
    const answer = { success: true, expiresAt: identity.expiresAt };
    return { answer, afterwards: () => this.applyRights(connection) };
  }

  /** Brings the stream to the rights of the session. */
  private applyRights(connection: Connection): void {
    const { subscribing } = this.deps;
    const { stream } = connection;
    if (stream === undefined || connection.isClosed) return;
    const session = connection.requireSession();
    if (stream.rights === session.rights) return;
    if (connection.wildcard !== undefined) {
      subscribing.closeWildcard(connection);
      subscribing.openWildcard(connection, session);
    } else if (stream.list.length === 0) {
      stream.rights = session.rights;
      return;
    }
    stream.rebind(session.rights, (collection, filter) => subscribing.visible(session.author, collection, filter));
    stream.start();
  }

  private async ping(connection: Connection, payload: unknown): Promise<Reply> {
    const message = parseMessage(upMessages.ping, payload);
    const timestamp = this.deps.now();
    const sent = message?.t;
    const answer = sent == null ? { timestamp } : { timestamp, clientTimestamp: sent, latency: timestamp - sent };
    return { answer, unasked: () => connection.socket.emit('pong', answer) };
  }
}

function sessionOf(identity: Identity, context: { rules: Rules; protocol: number | null | undefined }): Session {
  const { userId, claims, expiresAt, operator } = identity;
  const author = { userId, claims: context.rules.claimsFor(userId, claims) };
  const rights = context.rules.readRights(author);
  return { userId, author, rights, modern: context.protocol != null, expiresAt, operator };
}
