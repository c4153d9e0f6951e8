import type { GatewayId, Millis } from '@tidemark/protocol';
import type { Bus, FeedMessage, WriteReply } from '../port.ts';

/** What becomes of one published message. A delayed one is overtaken by what is published meanwhile. */
export type BusFate = 'deliver' | 'drop' | 'twice' | { readonly delayMs: Millis };

/** Asked once per published message; a kind without a plan is delivered. */
export interface BusFaults {
  readonly feed?: (message: FeedMessage) => BusFate;
  readonly reply?: (reply: WriteReply, gateway: GatewayId) => BusFate;
}

/** A bus that loses, repeats and reorders by plan, as the port allows it. For tests of those who use a bus. */
export function createFaultyBus(bus: Bus, faults: BusFaults): Bus {
  const timers = new Set<NodeJS.Timeout>();
  const later = (delayMs: Millis, send: () => Promise<void>) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      // A delayed message has nobody to tell that the bus is gone by now: it is lost, as the port allows.
      send().catch(() => {});
    }, delayMs);
    timers.add(timer);
  };
  const meet = async (fate: BusFate, send: () => Promise<void>) => {
    if (fate === 'drop') return;
    if (typeof fate === 'object') return later(fate.delayMs, send);
    await send();
    if (fate === 'twice') await send();
  };
  return {
    publishFeed: (message) => meet(faults.feed?.(message) ?? 'deliver', () => bus.publishFeed(message)),
    publishReply: (gateway, reply) =>
      meet(faults.reply?.(reply, gateway) ?? 'deliver', () => bus.publishReply(gateway, reply)),
    subscribeFeed: (listener) => bus.subscribeFeed(listener),
    subscribeReplies: (gateway, listener) => bus.subscribeReplies(gateway, listener),
    check: () => bus.check(),
    async close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      await bus.close();
    },
  };
}
