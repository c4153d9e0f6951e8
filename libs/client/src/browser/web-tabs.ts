import type { ShareStore } from '../tabs/shared-driver.ts';
import { shareWith } from '../tabs/tab-driver.ts';
import type { TabMessage, Tabs } from '../tabs/tabs.ts';

/**
 * The tabs of a browser that use the store of this name: they talk over a BroadcastChannel, and the one that holds the Web Lock leads.
 * The browser gives the lock to the next tab when the leader is closed or dies. Each tab also holds a lock of its own name to its end:
 * who is granted that one knows that the tab is gone.
 * Throws TypeError where a page has no locks (plain http that is not localhost): such a page can only work in a `MemoryStore`.
 */
export function webTabs(name: string): ShareStore {
  if (!globalThis.navigator?.locks)
    throw new TypeError('webTabs needs Web Locks, which browsers give to https and localhost only');
  return shareWith(browserTabs(name));
}

function browserTabs(name: string): Tabs {
  const id = crypto.randomUUID();
  const leading = `tidemark:${name}`;
  const lifeOf = (tab: string) => `${leading}:${tab}`;
  const channel = new BroadcastChannel(leading);
  const end = new AbortController();
  // A lock is held as long as this is not resolved.
  const held = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
  const alive = hold(lifeOf(id), held, {});
  alive.catch(() => {});
  return {
    id,
    post: (message) => channel.postMessage(message),
    listen: (listener) => {
      channel.addEventListener('message', (event: MessageEvent<TabMessage>) => listener(event.data));
    },
    tryToLead: async () => {
      await alive;
      return await hold(leading, held, { ifAvailable: true });
    },
    waitToLead: () => untilGranted(leading, end.signal, held),
    // Several may ask at once, and keep nothing.
    ended: (tab) => untilGranted(lifeOf(tab), end.signal),
    close: () => {
      end.abort();
      channel.close();
    },
  };
}

/** Holds the lock until `held` is resolved. Resolves with true when it is granted, with false when it is not available. */
function hold(lock: string, held: Promise<void>, options: LockOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const granted = (given: Lock | null) => {
      resolve(given !== null);
      return given ? held : undefined;
    };
    navigator.locks.request(lock, options, granted).catch(reject);
  });
}

/** Resolves when the lock is granted, and never once `signal` has said that this tab ends. */
function untilGranted(lock: string, signal: AbortSignal, held?: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const granted = () => {
      resolve();
      return held;
    };
    navigator.locks.request(lock, { signal, mode: held ? 'exclusive' : 'shared' }, granted).catch(() => {});
  });
}
