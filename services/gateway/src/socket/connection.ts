import type { Identity, Release } from '@tidemark/access';
import { brandAs, type Millis, type SocketId, SyncError, type UserId } from '@tidemark/protocol';
import type { Socket } from 'socket.io';
import type { Stream } from '../read/stream.ts';
import type { WildcardView } from '../read/wildcard-views.ts';
import { Sequence } from './sequence.ts';
import type { Session } from './session.ts';
import { SocketLink } from './socket-link.ts';

/** Events of one socket that may be at work at once. */
const maxAtWork = 1_000;

/** All sockets of a user, for operators. */
export function userRoom(userId: UserId): string {
  return `user:${userId}`;
}

/** What the gateway keeps for one socket. */
export class Connection {
  readonly id: SocketId;
  readonly socket: Socket;
  readonly link: SocketLink;
  readonly connectedAt: Millis;
  /** From a token of the handshake, or from one that has refreshed the session: a later join does not bring an older one back. */
  identity: Identity | undefined;
  session: Session | undefined;
  stream: Stream | undefined;
  wildcard: WildcardView | undefined;
  /** Counts the changes of its set of subscriptions. */
  subscriptionVersion = 0;
  warnedOfExpiry = false;
  private readonly releases: Release[] = [];
  private atWork = 0;
  private readonly order = new Sequence();
  private readonly largeAnswers = new Sequence();

  constructor(socket: Socket, options: { identity: Identity | undefined; slowClientBytes: number; now: Millis }) {
    this.id = brandAs<SocketId>(socket.id);
    this.socket = socket;
    this.link = new SocketLink(socket, options.slowClientBytes);
    this.identity = options.identity;
    this.connectedAt = options.now;
  }

  get busy(): number {
    return this.atWork;
  }

  /** The socket is gone; events of it may still be at work. */
  get isClosed(): boolean {
    return !this.socket.connected;
  }

  /** Throws SyncError when the socket is gone: nothing may be taken for it that nobody would give back. Nobody hears it. */
  requireOpen(): void {
    if (this.isClosed) throw new SyncError('unavailable', 'the socket is gone');
  }

  /** Gives it back when the socket is gone. Throws as `requireOpen`. */
  hold(release: Release): void {
    if (this.isClosed) release();
    this.requireOpen();
    this.releases.push(release);
  }

  /** Ends the stream and gives back what the socket held. */
  close(): void {
    this.stream?.close();
    for (const release of this.releases.splice(0)) release();
  }

  /** Runs an event; throws SyncError `overloaded` when too many of them are at work. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.atWork >= maxAtWork)
      throw new SyncError('overloaded', 'too many events of this socket are at work', { retryAfterMs: 500 });
    this.atWork++;
    try {
      return await work();
    } finally {
      this.atWork--;
    }
  }

  /** Runs one after the other: events that change what the socket is (join, subscriptions). */
  inOrder<T>(work: () => Promise<T>): Promise<T> {
    return this.order.run(work);
  }

  /** Resolves when the events before this one that must not be overtaken are done; undefined when there are none. */
  get settling(): Promise<unknown> | undefined {
    return this.order.settling;
  }

  /** Makes a large answer: one at a time, and only when the client has read what it was sent before. */
  answerLarge<T>(work: () => Promise<T>): Promise<T> {
    return this.largeAnswers.run(async () => {
      if (this.link.isClogged()) await this.link.whenDrained();
      this.requireOpen();
      return work();
    });
  }

  requireSession(): Session {
    if (this.session === undefined) throw new SyncError('unauthenticated', 'join first: send sync:join');
    return this.session;
  }
}
