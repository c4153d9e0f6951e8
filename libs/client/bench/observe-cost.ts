import { type Client, createClient } from '../src/client.ts';
import { MemoryStore } from '../src/local/memory-store.ts';
import { collection, newDocument, newDocuments } from './documents.ts';
import { FakeServer } from './fake-server.ts';
import { median } from './figures.ts';

const changes = 500;

/** How the live queries relate to the document that changes. */
export const observed = {
  /** Each shows all documents, sorted: every change moves one in each list. Each is a query of its own. */
  all: (client: Client, index: number) => client.collection(collection).query('bucket >= $0', -index).sort('priority'),
  /** Each shows the first fifty of all documents. */
  first50: (client: Client, index: number) =>
    client.collection(collection).query('bucket >= $0', -index).sort('priority').limit(50),
  /** Each shows a hundredth, and a change concerns one in a hundred of them. */
  hundredth: (client: Client, index: number) =>
    client
      .collection(collection)
      .query('bucket == $0', index % 100)
      .sort('priority'),
} as const;

/** Microseconds that a client with so many live queries spends on one change of the server, until all observers have been told. */
export async function observeMicros(documents: number, queries: number, kind: keyof typeof observed): Promise<number> {
  const server = new FakeServer(newDocuments(documents), setImmediate);
  const client = createClient({ url: 'http://bench', store: new MemoryStore(), socket: server.socket });
  await (await client.subscribe(collection)).ready();
  let told = 0;
  for (let index = 0; index < queries; index++) {
    observed[kind](client, index).observe(({ diff }) => {
      told += diff?.changed.length ?? 0;
    });
  }
  const micros: number[] = [];
  for (let turn = 0; turn < changes; turn++) micros.push(await changeMicros(server, (turn * 7919) % documents, turn));
  await client.close();
  if (queries > 0 && told === 0) throw new Error('no observer was told');
  // The first fifth is warm-up.
  return median(micros.slice(changes / 5));
}

async function changeMicros(server: FakeServer, index: number, turn: number): Promise<number> {
  const id = newDocument(index)._id as string;
  const begun = performance.now();
  server.change(id, { priority: (turn * 31) % 1_000 });
  const micros = (performance.now() - begun) * 1_000;
  // The store is written behind, which is no part of it.
  await new Promise((resolve) => setImmediate(resolve));
  return micros;
}
