import { type LocalStore, MemoryStore } from '@tidemark/client';
import { IndexedDbStore } from '@tidemark/client/browser';

/** A page that is being reloaded gives its lock back within this time. */
const patienceMs = 1_500;

/**
 * The browser's database of that name. It belongs to one tab at a time, so a second tab of the same browser works in memory, and
 * where a page may not lock anything (plain http, not localhost) every tab does.
 */
export async function openStore(name: string): Promise<LocalStore> {
  return (await lock(name)) ? new IndexedDbStore(name) : new MemoryStore();
}

/** Resolves with true when this tab has the lock, which it then keeps to its end. */
function lock(name: string): Promise<boolean> {
  if (!('locks' in navigator)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const keep = () => {
      resolve(true);
      return new Promise<void>(() => {});
    };
    navigator.locks.request(name, { signal: AbortSignal.timeout(patienceMs) }, keep).catch(() => resolve(false));
  });
}
