/** Runs in the page of a browser; `bootstrap-browser.ts` calls it. */
import { openDB } from 'idb';
import { IndexedDbStore } from '../src/browser/indexeddb-store.ts';
import { bootstrapMs } from './bootstrap.ts';
import { newDocuments, recordOf } from './documents.ts';
import { FakeServer } from './fake-server.ts';
import { medians, perSecond } from './figures.ts';

let stores = 0;

/** A turn of the event loop without the delay of timers. */
function turn(run: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    run();
  };
  port2.postMessage(undefined);
}

/** Documents a second from the subscription until all are in IndexedDB, against IndexedDB alone. */
export async function bootstrapIndexedDb(count: number, runs: number) {
  const documents = newDocuments(count);
  const client = async () => {
    stores += 1;
    return await bootstrapMs(new FakeServer(documents, turn), new IndexedDbStore(`client-${stores}`), count);
  };
  return perSecond(count, await medians({ client, bare: () => bareMs(count) }, runs));
}

/** All documents in one transaction. */
async function bareMs(count: number): Promise<number> {
  stores += 1;
  const database = await openDB(`bare-${stores}`, 1, { upgrade: (made) => void made.createObjectStore('documents') });
  const records = newDocuments(count).map(recordOf);
  const begun = performance.now();
  const transaction = database.transaction('documents', 'readwrite', { durability: 'strict' });
  for (const record of records) void transaction.store.put(record, record.key);
  await transaction.done;
  const ms = performance.now() - begun;
  database.close();
  return ms;
}
