import type { Authenticator, ConnectionCounter, Identity, Rules } from '@tidemark/access';
import { brandAs, type JoinMessage, type Millis, SyncError, type UserId, upMessages } from '@tidemark/protocol';
import type { Telemetry } from '@tidemark/telemetry';
import type { FanOut } from '../read/fan-out.ts';
import type { HistoryReader } from '../read/history-reader.ts';
import type { GatewaySettings } from '../settings.ts';
import { type Connection, userRoom } from '../socket/connection.ts';
import { type Session, statedIdentity } from '../socket/session.ts';
import { type Door, type Reply, refusal } from './door.ts';
import { parseMessage } from './parse-message.ts';
import type { Subscribing } from './subscribing.ts';
import { applySet } from './subscription-doors.ts';

/** The version of the protocol that this server speaks. */
export const protocolVersion = 1;

export interface SessionDoorsDeps {
  readonly authenticator: Authenticator;
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
    const identity = await this.identify(connection, message);
    const known = connection.session;
    if (known !== undefined && known.userId !== identity.userId)
      throw new SyncError('forbidden', 'the socket belongs to another user');
    const session = sessionOf(identity, { rules: this.deps.rules, protocol: message.protocol });
    const requests = message.subscriptions
      ? this.deps.subscribing.parseSet(message.subscriptions, session.author)
      : undefined;
    if (known === undefined) await this.open(connection, identity, message.protocol);
    else connection.session = { ...session, modern: known.modern };
    const start = await this.startStream(connection, message, requests);
    return this.joinReply(connection, {
      start,
      subscriptionIds: requests?.map((request) => request.id),
      checkpoint: message.checkpoint,
    });
  }

  private async startStream(
    connection: Connection,
    message: JoinMessage,
    requests: Parameters<typeof applySet>[2]['requests'] | undefined,
  ): Promise<() => void> {
    const { subscribing } = this.deps;
    const checkpoint = message.checkpoint ?? undefined;
    if (requests !== undefined) {
      connection.subscriptionVersion++;
      return applySet(subscribing, connection, { requests, checkpoint });
    }
    const session = connection.requireSession();
    if (session.modern || connection.wildcard !== undefined || (connection.stream?.list.length ?? 0) > 0)
      return () => undefined;
    const stream = subscribing.streamOf(connection, session);
    const { start } = await subscribing.begin(stream, [], checkpoint);
    subscribing.openWildcard(connection, session);
    return start;
  }

  private joinReply(
    connection: Connection,
    joined: {
      start: () => void;
      subscriptionIds: readonly string[] | undefined;
      checkpoint: string | null | undefined;
    },
  ): Reply {
    const { settings, reader, now } = this.deps;
    const { userId } = connection.requireSession();
    const timestamp = now();
    const subscriptionVersion = connection.subscriptionVersion;
    const answer = {
      success: true,
      userId,
      timestamp,
      protocol: protocolVersion,
      historyId: reader.historyId,
      checkpoint: connection.stream?.resumedFrom ?? this.deps.fanOut().token(),
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

  private async identify(connection: Connection, message: JoinMessage): Promise<Identity> {
    const { authenticator, settings } = this.deps;
    const looksAtTokens = authenticator.configured || !settings.development;
    // Also where the handshake decides: a bad token is refused everywhere.
    const stated = message.token && looksAtTokens ? await authenticator.verify(message.token) : undefined;
    const identity = connection.identity ?? stated;
    if (identity !== undefined) return identity;
    if (!settings.development) throw new SyncError('unauthenticated', 'a token is required');
    if (!message.userId) throw new SyncError('unauthenticated', 'send a token, or in development a userId');
    return statedIdentity(brandAs<UserId>(message.userId));
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
    connection.releases.push(release);
    if (!connection.socket.connected) release();
    connection.session = sessionOf(identity, { rules: this.deps.rules, protocol });
    await connection.socket.join(userRoom(identity.userId));
    this.deps.telemetry.metrics.sessions.inc();
  }

  private async refresh(connection: Connection, payload: unknown): Promise<Reply> {
    const session = connection.requireSession();
    const { token } = parseMessage(upMessages['sync:auth'], payload);
    const identity = await this.deps.authenticator.verify(token);
    if (identity.userId !== session.userId) throw new SyncError('forbidden', 'the token is for another user');
    const fresh = { ...sessionOf(identity, { rules: this.deps.rules, protocol: undefined }), modern: session.modern };
    connection.session = fresh;
    connection.identity = identity;
    connection.warnedOfExpiry = false;
    const isChanged = JSON.stringify(fresh.author.claims) !== JSON.stringify(session.author.claims);
    const answer = { success: true, expiresAt: identity.expiresAt };
    return isChanged ? { answer, afterwards: () => this.applyClaims(connection, fresh) } : { answer };
  }

  /** Other claims may mean another view. */
  private applyClaims(connection: Connection, session: Session): void {
    const { subscribing } = this.deps;
    const { stream } = connection;
    if (stream === undefined) return;
    if (connection.wildcard !== undefined) {
      subscribing.closeWildcard(connection);
      subscribing.openWildcard(connection, session);
    }
    stream.rebind((collection, filter) => subscribing.visible(session.author, collection, filter));
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
  return { userId, author, modern: context.protocol != null, expiresAt, operator };
}
