import { type GatewayId, SyncError } from '@tidemark/protocol';
import { silentLog, type TransportLog } from '../log.ts';
import type { Bus, FeedMessage, Unsubscribe, WriteReply } from '../port.ts';
import { createTopic, type Topic } from './topic.ts';

export interface InProcessBusOptions {
  /** Hears of listeners that throw. */
  readonly log?: TransportLog;
}

/** Delivers in a microtask of its own, in the order of publishing, the same object to every listener. */
export function createInProcessBus(options: InProcessBusOptions = {}): Bus {
  return new MemoryBus(options.log ?? silentLog);
}

class MemoryBus implements Bus {
  private readonly log: TransportLog;
  private readonly feed: Topic<FeedMessage>;
  /** Gateways that listen; a reply to another one goes nowhere. */
  private readonly replies = new Map<GatewayId, Topic<WriteReply>>();
  private closed = false;

  constructor(log: TransportLog) {
    this.log = log;
    this.feed = createTopic('feed', log);
  }

  async publishFeed(message: FeedMessage): Promise<void> {
    this.refuseWhenClosed();
    this.feed.publish(message);
  }

  async subscribeFeed(listener: (message: FeedMessage) => void): Promise<Unsubscribe> {
    this.refuseWhenClosed();
    return this.feed.subscribe(listener);
  }

  async publishReply(gateway: GatewayId, reply: WriteReply): Promise<void> {
    this.refuseWhenClosed();
    this.replies.get(gateway)?.publish(reply);
  }

  async subscribeReplies(gateway: GatewayId, listener: (reply: WriteReply) => void): Promise<Unsubscribe> {
    this.refuseWhenClosed();
    const topic = this.replies.get(gateway) ?? createTopic<WriteReply>('replies', this.log);
    this.replies.set(gateway, topic);
    const unsubscribe = topic.subscribe(listener);
    return async () => {
      await unsubscribe();
      if (topic.size() === 0 && this.replies.get(gateway) === topic) this.replies.delete(gateway);
    };
  }

  async check(): Promise<void> {
    this.refuseWhenClosed();
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const topic of [this.feed, ...this.replies.values()]) topic.clear();
    this.replies.clear();
  }

  private refuseWhenClosed(): void {
    if (this.closed) throw new SyncError('unavailable', 'The bus is closed.');
  }
}
