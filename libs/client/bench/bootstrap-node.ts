import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { LmdbStore } from '../src/node/lmdb-store.ts';
import { bootstrapMs } from './bootstrap.ts';
import { newDocuments, recordOf } from './documents.ts';
import { FakeServer } from './fake-server.ts';
import { medians, perSecond } from './figures.ts';

/** Documents a second from the subscription until all are on disk, against LMDB alone. */
export async function bootstrapNode(count: number, runs: number) {
  const documents = newDocuments(count);
  const client = () =>
    inFolder((folder) => bootstrapMs(new FakeServer(documents, setImmediate), new LmdbStore(folder), count));
  const bare = () => inFolder((folder) => bareMs(folder, count));
  return perSecond(count, await medians({ client, bare }, runs));
}

/** All documents in one transaction, flushed. */
async function bareMs(folder: string, count: number): Promise<number> {
  const root = open<string, Buffer>({ path: folder, noSubdir: false, encoding: 'string', overlappingSync: false });
  const records = newDocuments(count).map(recordOf);
  const begun = performance.now();
  await root.batch(() => {
    for (const record of records) root.put(Buffer.from(record.key, 'utf8'), JSON.stringify(record));
  });
  const ms = performance.now() - begun;
  await root.close();
  return ms;
}

export async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-client-bench-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
