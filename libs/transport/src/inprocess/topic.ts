import type { TransportLog } from '../log.ts';
import type { Unsubscribe } from '../port.ts';

export interface Topic<Message> {
  publish(message: Message): void;
  subscribe(listener: (message: Message) => void): Unsubscribe;
  /** Listeners. */
  size(): number;
  /** Drops listeners and what has not been delivered yet. */
  clear(): void;
}

/**
 * Never calls a listener from within publish: a listener may publish, and a publisher holds no lock that a listener waits for.
 * What is pending was published in the current turn of the event loop.
 */
export function createTopic<Message>(name: string, log: TransportLog): Topic<Message> {
  // Records, not functions: one function may listen twice.
  const listeners = new Set<{ readonly listen: (message: Message) => void }>();
  let pending: Message[] = [];
  const deliver = (message: Message) => {
    for (const { listen } of listeners) {
      try {
        listen(message);
      } catch (error) {
        log.error({ err: error, topic: name }, 'a listener of the bus threw');
      }
    }
  };
  const drain = () => {
    const messages = pending;
    pending = [];
    for (const message of messages) deliver(message);
  };
  return {
    publish(message) {
      if (listeners.size === 0) return;
      // Not queueMicrotask: a test that fakes timers would fake it too.
      if (pending.push(message) === 1) void Promise.resolve().then(drain);
    },
    subscribe(listener) {
      const record = { listen: listener };
      listeners.add(record);
      return async () => {
        listeners.delete(record);
      };
    },
    size: () => listeners.size,
    clear() {
      listeners.clear();
      pending = [];
    },
  };
}
