import { type GatewayId, isObject, SyncError } from '@tidemark/protocol';
import type { TransportLog } from '../log.ts';
import type { Bus, FeedMessage, Unsubscribe, WriteReply } from '../port.ts';
import { callRedis, isReady, within } from './call.ts';
import type { RedisClient } from './client-options.ts';
import type { RedisConnections } from './connections.ts';
import { type RedisKeys, redisKeys } from './keys.ts';

/** A half-open subscriber never hears anything; a ping makes the client notice (see socketTimeout) and reconnect. */
const pingEveryMs = 5_000;

/**
 * Characters of entries on the feed in one turn. Redis cuts off a subscriber that has 32 MB to read, replies and all, and entries
 * carry their documents twice; those for which there is no room are not sent, and the heads tell gateways to read the log.
 */
const maxFeedCharacters = 4 * 1024 * 1024;

/**
 * Redis Pub/Sub with JSON. What is published in one turn of the event loop goes out in one piece, an array per channel: each
 * message by itself would cost Redis and every subscriber a wake-up. What is published while a subscriber is reconnecting is lost to it, as the port allows; the
 * subscriptions themselves come back with the connection, also when Redis has restarted empty.
 */
export function createRedisBus(connections: RedisConnections): Bus {
  return new RedisBus(connections);
}

interface Listener {
  readonly listen: (message: never) => void;
}

class RedisBus implements Bus {
  private readonly connections: RedisConnections;
  private readonly keys: RedisKeys;
  /** By channel, what has been published in this turn. */
  private outgoing = new Map<string, object[]>();
  private sending: Promise<void> | undefined;
  private readonly channels = new Map<string, Set<Listener>>();
  private pinging: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(connections: RedisConnections) {
    this.connections = connections;
    this.keys = redisKeys(connections.keyPrefix);
  }

  publishFeed(message: FeedMessage): Promise<void> {
    return this.publish(this.keys.feed, message);
  }

  subscribeFeed(listener: (message: FeedMessage) => void): Promise<Unsubscribe> {
    return this.subscribe(this.keys.feed, listener);
  }

  publishReply(gateway: GatewayId, reply: WriteReply): Promise<void> {
    return this.publish(this.keys.replies(gateway), reply);
  }

  subscribeReplies(gateway: GatewayId, listener: (reply: WriteReply) => void): Promise<Unsubscribe> {
    return this.subscribe(this.keys.replies(gateway), listener);
  }

  async check(): Promise<void> {
    this.refuseWhenClosed();
    const client = this.connections.commands();
    await callRedis(client, this.connections.checkTimeoutMs, () => client.ping());
    if (this.channels.size > 0 && !isReady(this.connections.subscriber())) {
      throw new SyncError('unavailable', 'The subscriptions to Redis are being re-established.');
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.pinging);
    if (this.pinging === undefined) return;
    const subscriber = this.connections.subscriber();
    subscriber.off('message', this.receive);
    const channels = [...this.channels.keys()];
    this.channels.clear();
    // The connection may be shared with another bus of this process; cutting it is the owner's.
    if (isReady(subscriber) && channels.length > 0) await subscriber.unsubscribe(...channels).catch(() => {});
  }

  private publish(channel: string, message: object): Promise<void> {
    const messages = this.outgoing.get(channel);
    if (messages === undefined) this.outgoing.set(channel, [message]);
    else messages.push(message);
    this.sending ??= this.send();
    return this.sending;
  }

  /** All share one answer: a failure is the connection's, hardly ever that of one channel. */
  private async send(): Promise<void> {
    await undefined;
    const messages = this.outgoing;
    this.outgoing = new Map();
    this.sending = undefined;
    this.refuseWhenClosed();
    const client = this.connections.commands();
    await callRedis(client, this.connections.commandTimeoutMs, async () => {
      const sending = [...messages].map(([channel, batch]) => {
        const text = channel === this.keys.feed ? feedText(batch as FeedMessage[]) : JSON.stringify(batch);
        return publishTo(client, channel, text);
      });
      await Promise.all(sending);
    });
  }

  private async subscribe<T>(channel: string, listen: (message: T) => void): Promise<Unsubscribe> {
    this.refuseWhenClosed();
    this.start();
    const listeners = this.channels.get(channel) ?? new Set();
    const listener: Listener = { listen };
    this.channels.set(channel, listeners.add(listener));
    const unsubscribe = () => this.unsubscribe(channel, listener);
    try {
      // Asked for again by every listener: it costs nothing, and the answer means that messages arrive from now on.
      await within(this.connections.commandTimeoutMs, this.connections.subscriber().subscribe(channel));
    } catch (cause) {
      await unsubscribe();
      throw new SyncError('unavailable', 'Redis does not answer.', { retryAfterMs: 1_000, cause });
    }
    return unsubscribe;
  }

  private async unsubscribe(channel: string, listener: Listener): Promise<void> {
    const listeners = this.channels.get(channel);
    if (listeners === undefined || !listeners.delete(listener) || listeners.size > 0) return;
    this.channels.delete(channel);
    // One connection runs its commands in order, so a later subscribe to the same channel comes after this one.
    const answer = this.connections.subscriber().unsubscribe(channel);
    await within(this.connections.commandTimeoutMs, answer).catch((err: unknown) => {
      this.connections.log.warn({ err, channel }, 'unsubscribing from Redis failed');
    });
  }

  private start(): void {
    if (this.pinging !== undefined) return;
    const subscriber = this.connections.subscriber();
    subscriber.on('message', this.receive);
    this.pinging = setInterval(() => {
      if (isReady(subscriber)) subscriber.ping().catch(() => {});
    }, pingEveryMs).unref();
  }

  private readonly receive = (channel: string, text: string): void => {
    const listeners = this.channels.get(channel);
    if (listeners === undefined) return;
    for (const message of parse(channel, text, this.connections.log)) {
      for (const { listen } of listeners) this.call(listen, message, channel);
    }
  };

  private call(listen: Listener['listen'], message: never, channel: string): void {
    try {
      listen(message);
    } catch (err) {
      this.connections.log.error({ err, channel }, 'a listener of the bus threw');
    }
  }

  private refuseWhenClosed(): void {
    if (this.closed) throw new SyncError('unavailable', 'The bus is closed.');
  }
}

/**
 * In a cluster PUBLISH goes to any node, and messages overtake each other on their ways to the subscriber's node. A script
 * is sent to the node of its key, which is the same for all of our channels, see RedisKeys.
 */
async function publishTo(client: RedisClient, channel: string, text: string): Promise<void> {
  if (client.isCluster) await client.eval("return redis.call('PUBLISH', KEYS[1], ARGV[1])", 1, channel, text);
  else await client.publish(channel, text);
}

function feedText(messages: readonly FeedMessage[]): string {
  let room = maxFeedCharacters;
  const texts = messages.map(({ epoch, lane, head, entries }) => {
    const sent: string[] = [];
    for (const entry of entries) {
      if (room <= 0) break;
      const text = JSON.stringify(entry);
      room -= text.length;
      if (room >= 0) sent.push(text);
    }
    return `{"epoch":${epoch},"lane":${lane},"head":${head},"entries":[${sent}]}`;
  });
  return `[${texts}]`;
}

/** Only our own processes write to these channels; what is not theirs is logged and dropped. */
function parse(channel: string, text: string, log: TransportLog): readonly never[] {
  try {
    const messages: unknown = JSON.parse(text);
    if (Array.isArray(messages)) return messages.filter(isObject) as never[];
  } catch (err) {
    log.warn({ err, channel }, 'a message on the bus is not JSON');
  }
  return [];
}
