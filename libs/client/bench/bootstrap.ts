import { createClient } from '../src/client.ts';
import type { LocalStore } from '../src/local/port.ts';
import { collection } from './documents.ts';
import type { FakeServer } from './fake-server.ts';

/** Milliseconds from the subscription to the moment at which all documents are in the store, and the client has shown them. */
export async function bootstrapMs(server: FakeServer, inner: LocalStore, count: number): Promise<number> {
  const { store, full } = watched(inner, count);
  const client = createClient({ url: 'http://bench', auth: { userId: 'user-17' }, store, socket: server.socket });
  await client.ready;
  const begun = performance.now();
  const subscription = await client.subscribe(collection);
  await Promise.all([subscription.ready(), full]);
  const ms = performance.now() - begun;
  const found = await client.collection(collection).query().find();
  if (found.length !== count) throw new Error(`${found.length} documents came of ${count}`);
  await client.close();
  return ms;
}

/** The store, and a promise that it has written so many documents. */
function watched(inner: LocalStore, count: number): { store: LocalStore; full: Promise<void> } {
  let written = 0;
  let isFull = () => {};
  const full = new Promise<void>((resolve) => {
    isFull = resolve;
  });
  const store: LocalStore = {
    load: () => inner.load(),
    write: async (batch) => {
      await inner.write(batch);
      written += batch.putDocuments.length;
      if (written >= count) isFull();
    },
    clear: () => inner.clear(),
    close: () => inner.close(),
  };
  return { store, full };
}
