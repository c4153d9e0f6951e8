import { type Client, type ClientOptions, createClient, MemoryStore } from '@tidemark/client';
import { IndexedDbStore, webTabs } from '@tidemark/client/browser';

/** Somebody who uses the demo, with a client of their own: two of them share this page as they would share a server. */
export interface DemoUser {
  readonly id: string;
  readonly name: string;
  readonly client: Client;
}

const offlineKey = (id: string) => `tidemark-demo-offline-${id}`;

/** The switch survives a reload: who was offline stays so. */
export function isSwitchedOff(id: string): boolean {
  return localStorage.getItem(offlineKey(id)) !== null;
}

export function switchConnection({ id, client }: DemoUser, isOn: boolean): void {
  if (isOn) {
    localStorage.removeItem(offlineKey(id));
    client.resume();
  } else {
    localStorage.setItem(offlineKey(id), 'yes');
    client.pause();
  }
}

/** `token`: for a server that does not take a stated user's word. */
export function createDemoUser(id: string, token: string | undefined): DemoUser {
  const client = createClient({
    url: location.origin,
    auth: { userId: id, ...(token !== undefined && { token }) },
    connect: !isSwitchedOff(id),
    ...placeOf(`tidemark-demo-${id}`),
  });
  return { id, name: `${id.charAt(0).toUpperCase()}${id.slice(1)}`, client };
}

/**
 * A database of the browser, which its tabs share, and with it one connection. Where a page may lock nothing (plain http, not localhost)
 * tabs cannot agree on who writes: there each one works in memory.
 */
function placeOf(name: string): Pick<ClientOptions, 'store' | 'tabs'> {
  if (!('locks' in navigator)) return { store: new MemoryStore() };
  return { store: new IndexedDbStore(name), tabs: webTabs(name) };
}
