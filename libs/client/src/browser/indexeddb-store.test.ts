import 'fake-indexeddb/auto';
import { describe, expect, it } from '@jest/globals';
import { emptyBatch } from '../local/conformance/empty-batch.ts';
import { describeLocalStore } from '../local/conformance/local-store.ts';
import { IndexedDbStore } from './indexeddb-store.ts';

let databases = 0;
const newName = () => {
  databases += 1;
  return `tidemark-${databases}`;
};

describeLocalStore('IndexedDbStore', async () => {
  const name = newName();
  return { open: () => new IndexedDbStore(name), dispose: () => IndexedDbStore.remove(name) };
});

describe('IndexedDbStore', () => {
  it('tells a full disk from other faults', async () => {
    const store = new IndexedDbStore(newName());
    await store.load();
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('no room', 'QuotaExceededError');
    };
    const meta = { clientId: 'c', clock: 1 };
    const batch = { ...emptyBatch, meta };
    try {
      await expect(store.write(batch)).rejects.toMatchObject({ code: 'full' });
    } finally {
      IDBObjectStore.prototype.put = put;
    }
    await store.write(batch);
    expect((await store.load()).meta).toEqual(meta);
    await store.close();
  });

  it('is shared by two tabs', async () => {
    const name = newName();
    const [one, other] = [new IndexedDbStore(name), new IndexedDbStore(name)];
    await Promise.all([one.load(), other.load()]);
    const batch = { ...emptyBatch, meta: { clientId: 'c', clock: 2 } };
    await one.write(batch);
    expect((await other.load()).meta).toEqual(batch.meta);
    await Promise.all([one.close(), other.close()]);
  });
});
