import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from '../src/local/memory-store.ts';
import { LmdbStore } from '../src/node/lmdb-store.ts';
import { bootstrapMs } from './bootstrap.ts';
import { bootstrapNode, inFolder } from './bootstrap-node.ts';
import { batchOf, newDocument, newDocuments } from './documents.ts';
import { FakeServer } from './fake-server.ts';
import { median, medians, perSecond } from './figures.ts';
import { coldMs, openClient, openMs, type QueryName, queries } from './first-result.ts';
import { observeMicros } from './observe-cost.ts';

describe('the bench of the client', () => {
  it('writes documents of about 300 bytes, each unlike the others', () => {
    const documents = newDocuments(1_000);
    expect(new Set(documents.map(({ _id }) => _id)).size).toBe(1_000);
    for (const document of documents) expect(Math.abs(JSON.stringify(document).length - 300)).toBeLessThan(30);
    expect(newDocument(3)).toEqual(documents[3]);
  });

  it('loads every document into the store, in pages', async () => {
    const store = new MemoryStore();
    expect(await bootstrapMs(new FakeServer(newDocuments(1_234), setImmediate), store, 1_234)).toBeGreaterThan(0);
    expect((await store.load()).documents).toHaveLength(1_234);
  });

  it('compares with the bare library', async () => {
    const { client, bare, ratio } = await bootstrapNode(200, 1);
    expect(client).toBeGreaterThan(0);
    expect(ratio).toBeCloseTo(client / bare, 0);
  });

  it('asks queries that find what their names say', async () => {
    const client = await openClient(10_000);
    const lengths = new Map<string, number>();
    for (const name of Object.keys(queries) as QueryName[]) {
      lengths.set(name, (await queries[name](client).find()).length);
      expect(await openMs(client, name)).toBeGreaterThan(0);
    }
    await client.close();
    expect(Object.fromEntries(lengths)).toEqual({
      thousand: 100,
      thousandSorted: 100,
      halfSortedFirst50: 50,
      all: 10_000,
    });
  });

  it('starts cold from what is on disk', () =>
    inFolder(async (folder) => {
      const store = new LmdbStore(folder);
      await store.write(batchOf(newDocuments(500)));
      await store.close();
      const { ready, firstResult, bare } = await coldMs(folder, 'all');
      expect(firstResult).toBeGreaterThanOrEqual(ready);
      expect(bare).toBeGreaterThan(0);
    }));

  it.each(['all', 'first50', 'hundredth'] as const)('tells observers that show %s', async (kind) => {
    expect(await observeMicros(200, 3, kind)).toBeGreaterThan(0);
  });
});

describe('the figures', () => {
  it('are medians, and the first run does not count', async () => {
    const given = { a: [100, 1, 9, 5], b: [0, 2, 2, 3] };
    const next = (name: 'a' | 'b') => async () => given[name].shift() ?? Number.NaN;
    expect(await medians({ a: next('a'), b: next('b') }, 3)).toEqual({ a: 5, b: 2 });
    expect(median([3, 1, 2])).toBe(2);
  });

  it('are documents a second', () => {
    expect(perSecond(1_000, { client: 200, bare: 100 })).toEqual({ client: 5_000, bare: 10_000, ratio: 0.5 });
  });
});
