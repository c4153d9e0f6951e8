import { type Client, createClient } from '../src/client.ts';
import { MemoryStore } from '../src/local/memory-store.ts';
import { LmdbStore } from '../src/node/lmdb-store.ts';
import type { LiveQuery } from '../src/query/live-query.ts';
import { batchOf, collection, newDocuments } from './documents.ts';

/** What is asked, by the number of documents that match of 100,000. */
export const queries = {
  thousand: (client: Client) => client.collection(collection).query('bucket == $0', 7),
  thousandSorted: (client: Client) => client.collection(collection).query('bucket == $0', 7).sort('priority'),
  halfSortedFirst50: (client: Client) =>
    client.collection(collection).query('done == false').sort('priority').limit(50),
  all: (client: Client) => client.collection(collection).query(),
} as const satisfies Record<string, (client: Client) => LiveQuery>;

export type QueryName = keyof typeof queries;

/** Resolves with the number of documents when the first result is there. */
function firstResult(query: LiveQuery): Promise<number> {
  return new Promise((resolve) => {
    const stop = query.observe(({ documents }) => {
      resolve(documents.length);
      queueMicrotask(() => stop());
    });
  });
}

/** A client that has so many documents in memory. */
export async function openClient(count: number): Promise<Client> {
  const store = new MemoryStore();
  await store.write(batchOf(newDocuments(count)));
  const client = createClient({ url: 'http://bench', store, connect: false });
  await client.ready;
  return client;
}

/** Milliseconds from making the query to its first result. */
export async function openMs(client: Client, name: QueryName): Promise<number> {
  const begun = performance.now();
  await firstResult(queries[name](client));
  return performance.now() - begun;
}

export interface ColdMs {
  /** From making the client to its `ready`: the store is read. */
  readonly ready: number;
  /** From making the client to the first result. */
  readonly firstResult: number;
  /** For the bare library in the same process: open, and read and parse every document. */
  readonly bare: number;
}

/** In a process that has done nothing else yet. */
export async function coldMs(directory: string, name: QueryName): Promise<ColdMs> {
  const begun = performance.now();
  const client = createClient({ url: 'http://bench', store: new LmdbStore(directory), connect: false });
  const result = firstResult(queries[name](client));
  await client.ready;
  const ready = performance.now() - begun;
  await result;
  const done = performance.now() - begun;
  await client.close();
  return { ready, firstResult: done, bare: await bareMs(directory) };
}

async function bareMs(directory: string): Promise<number> {
  const { open } = await import('lmdb');
  const begun = performance.now();
  const root = open<string, Buffer>({ path: directory, noSubdir: false, maxDbs: 8, encoding: 'string' });
  const table = root.openDB<string, Buffer>('documents', { encoding: 'string', keyEncoding: 'binary' });
  const documents: unknown[] = [];
  for (const { value } of table.getRange()) documents.push(JSON.parse(value));
  const ms = performance.now() - begun;
  await root.close();
  if (documents.length === 0) throw new Error('the store is empty');
  return ms;
}
