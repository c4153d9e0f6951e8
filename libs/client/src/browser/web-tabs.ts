import type { ShareStore } from '../tabs/shared-driver.ts';
import { shareWith } from '../tabs/tab-driver.ts';
import type { TabMessage, Tabs } from '../tabs/tabs.ts';

/**
 * The tabs of a browser that use the store of this name: they talk over a BroadcastChannel, and the one that holds the Web Lock leads.
 * The browser gives the lock to the next tab when the leader is closed or dies.
 */
export function webTabs(name: string): ShareStore {
  return shareWith(browserTabs(name));
}

function browserTabs(name: string): Tabs {
  const id = crypto.randomUUID();
  const lockName = `tidemark:${name}`;
  const channel = new BroadcastChannel(lockName);
  const end = new AbortController();
  // The lock is held as long as this is not resolved.
  const held = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
  const sayGoodbye = () => channel.postMessage({ kind: 'bye', tab: id } satisfies TabMessage);
  globalThis.addEventListener?.('pagehide', sayGoodbye);
  return {
    id,
    post: (message) => channel.postMessage(message),
    listen: (listener) => {
      channel.addEventListener('message', (event: MessageEvent<TabMessage>) => listener(event.data));
    },
    tryToLead: () =>
      new Promise((resolve, reject) => {
        const lead = (lock: Lock | null) => {
          resolve(lock !== null);
          return lock ? held : undefined;
        };
        navigator.locks.request(lockName, { ifAvailable: true }, lead).catch(reject);
      }),
    waitToLead: () =>
      new Promise((resolve) => {
        const lead = () => {
          resolve();
          return held;
        };
        // An end while waiting is no fault.
        navigator.locks.request(lockName, { signal: end.signal }, lead).catch(() => {});
      }),
    close: () => {
      end.abort();
      globalThis.removeEventListener?.('pagehide', sayGoodbye);
      channel.close();
    },
  };
}
