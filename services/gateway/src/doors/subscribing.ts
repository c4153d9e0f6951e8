import { randomUUID } from 'node:crypto';
import type { Rules } from '@tidemark/access';
import {
  type Author,
  type CollectionName,
  decodeCheckpoint,
  type Json,
  limits,
  parseCollectionName,
  type SubscriptionMessage,
  SyncError,
} from '@tidemark/protocol';
import { and, type BoundQuery, bindQuery, parseQuery, QueryError } from '@tidemark/rql';
import type { GroupIndex } from '../read/group-index.ts';
import { describeFault, type HistoryReader } from '../read/history-reader.ts';
import { type ResumePoint, Stream, type StreamDeps } from '../read/stream.ts';
import type { SubscriptionRequest } from '../read/subscription.ts';
import { WildcardView, type WildcardViews } from '../read/wildcard-views.ts';
import type { Connection } from '../socket/connection.ts';
import type { Session } from '../socket/session.ts';

export interface SubscribingDeps {
  readonly stream: StreamDeps;
  readonly groups: GroupIndex;
  readonly reader: HistoryReader;
  readonly rules: Rules;
  readonly wildcards: WildcardViews;
  readonly settings: { readonly broadcastToSender: boolean };
}

/** A filter with its arguments, as clients name it. */
export interface FilterMessage {
  readonly filter?: string | null | undefined;
  readonly query?: string | null | undefined;
  readonly args?: readonly unknown[] | null | undefined;
}

/** From where a socket goes on; or why it cannot: then everything is sent anew, by `reset`, with the reason. */
interface Resumption {
  readonly point?: ResumePoint;
  readonly reason?: string;
}

/** The part that the doors for subscriptions share: from messages to the stream of the socket. */
export class Subscribing {
  private readonly deps: SubscribingDeps;

  constructor(deps: SubscribingDeps) {
    this.deps = deps;
  }

  /** Throws SyncError `invalid_query`, `invalid_message`, `forbidden`. */
  parse(message: SubscriptionMessage, author: Author): SubscriptionRequest {
    const collection = parseCollectionName(message.collection);
    const filter = parseFilter(message);
    return {
      id: message.id ?? randomUUID(),
      collection,
      filter,
      query: this.visible(author, collection, filter),
      bootstrap: message.bootstrap ?? undefined,
    };
  }

  /** All or none. Throws SyncError. */
  parseSet(messages: readonly SubscriptionMessage[], author: Author): readonly SubscriptionRequest[] {
    const requests = messages.map((message) => this.parse(message, author));
    if (new Set(requests.map((request) => request.id)).size < requests.length) {
      throw new SyncError('invalid_message', 'a subscription id stands twice in the set');
    }
    return requests;
  }

  visible(author: Author, collection: CollectionName, filter: BoundQuery): BoundQuery {
    return and(filter, this.deps.rules.readQuery(collection, author));
  }

  /** The stream of the socket, made when first needed. Throws SyncError when the socket is gone. */
  streamOf(connection: Connection, session: Session): Stream {
    connection.requireOpen();
    connection.stream ??= new Stream(this.deps.stream, {
      link: connection.link,
      userId: session.userId,
      echo: session.modern || this.deps.settings.broadcastToSender,
      rights: session.rights,
    });
    return connection.stream;
  }

  /** Until it subscribes, an old client sees all that it may read. */
  openWildcard(connection: Connection, session: Session): void {
    if (connection.wildcard !== undefined) return;
    const stream = this.streamOf(connection, session);
    const view = new WildcardView(this.deps.groups, stream, (collection) =>
      this.deps.rules.readQuery(collection, session.author),
    );
    connection.wildcard = view;
    this.deps.wildcards.add(view);
    stream.setWildcard(view);
  }

  closeWildcard(connection: Connection): void {
    if (connection.wildcard === undefined) return;
    this.deps.wildcards.remove(connection.wildcard);
    connection.wildcard = undefined;
    connection.stream?.setWildcard(undefined);
  }

  /** What a token means for a fresh socket of these rights. */
  private async resumption(token: string, rights: string | undefined): Promise<Resumption> {
    const checkpoint = decodeCheckpoint(token);
    const fault = checkpoint?.listing === undefined ? await this.deps.reader.faultOf(checkpoint, rights) : 'listing';
    if (fault !== undefined || checkpoint === undefined) return { reason: describeFault(fault ?? 'unknown') };
    const { position, wholeThrough } = checkpoint;
    const { fanOut, readHeads } = this.deps.stream;
    // A token of an ended epoch cannot say that its holder has documents of a later one.
    if (position.epoch !== fanOut.position.epoch) return { point: { position, wholeThrough: await readHeads() } };
    return { point: { position, wholeThrough: wholeThrough && { epoch: position.epoch, seqs: wholeThrough } } };
  }

  /**
   * The whole set of a fresh socket. The answer is to be sent first, then the returned function called.
   * Without a checkpoint, or with one that cannot be served, everything is bootstrapped.
   */
  async begin(
    connection: Connection,
    requests: readonly SubscriptionRequest[],
    token: string | undefined,
  ): Promise<{ resumed: boolean; start: () => void }> {
    const session = connection.requireSession();
    const stream = this.streamOf(connection, session);
    const { point, reason }: Resumption = token === undefined ? {} : await this.resumption(token, session.rights);
    connection.requireOpen();
    this.closeWildcard(connection);
    stream.rights = session.rights;
    const resumed = point !== undefined;
    if (resumed) stream.resume(point);
    for (const request of requests)
      stream.subscribe(request, resumed ? request.bootstrap === true : request.bootstrap !== false);
    const start = () => {
      if (reason !== undefined) stream.reset(reason);
      stream.start();
    };
    return { resumed, start };
  }

  /** One more subscription; it takes the place of one with the same id. Only the first of a socket may resume. */
  async add(
    connection: Connection,
    request: SubscriptionRequest,
    checkpoint: string | undefined,
  ): Promise<{ resumed: boolean; start: () => void }> {
    const stream = this.streamOf(connection, connection.requireSession());
    if (stream.isFresh) return this.begin(connection, [request], request.bootstrap === true ? undefined : checkpoint);
    const sameId = stream.list.find((subscription) => subscription.id === request.id);
    if (sameId === undefined) this.assertRoom(stream);
    else stream.unsubscribe(sameId);
    stream.subscribe(request, request.bootstrap !== false);
    return { resumed: false, start: () => stream.start() };
  }

  /** Makes the set of the socket what the requests say; a socket that has not had any subscription may resume. */
  async replace(
    connection: Connection,
    requests: readonly SubscriptionRequest[],
    checkpoint: string | undefined,
  ): Promise<() => void> {
    const stream = this.streamOf(connection, connection.requireSession());
    if (stream.isFresh) return (await this.begin(connection, requests, checkpoint)).start;
    stream.replace(requests);
    return () => stream.start();
  }

  countOn(stream: Stream | undefined, collection: CollectionName): number {
    return stream?.list.filter((subscription) => subscription.collection === collection).length ?? 0;
  }

  private assertRoom(stream: Stream): void {
    if (stream.list.length < limits.subscriptionsPerSocket) return;
    throw new SyncError('too_large', `a socket holds at most ${limits.subscriptionsPerSocket} subscriptions`);
  }
}

/** Throws SyncError `invalid_query`. */
export function parseFilter(message: FilterMessage): BoundQuery {
  try {
    return bindQuery(parseQuery(message.filter ?? message.query ?? ''), {
      args: (message.args ?? []) as readonly Json[],
    });
  } catch (error) {
    if (error instanceof QueryError) throw new SyncError('invalid_query', error.message, { cause: error });
    throw error;
  }
}
