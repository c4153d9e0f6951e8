import { type Client, createClient } from '@tidemark/client';
import { openStore } from './open-store.ts';

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
export async function createDemoUser(id: string, token: string | undefined): Promise<DemoUser> {
  const client = createClient({
    url: location.origin,
    auth: { userId: id, ...(token !== undefined && { token }) },
    store: await openStore(`tidemark-demo-${id}`),
    connect: !isSwitchedOff(id),
  });
  return { id, name: `${id.charAt(0).toUpperCase()}${id.slice(1)}`, client };
}
