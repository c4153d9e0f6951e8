import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { createClient } from '../client.ts';
import { emptyBatch } from '../local/conformance/empty-batch.ts';
import { describeLocalStore } from '../local/conformance/local-store.ts';
import { entryOf } from './fixtures/batches.ts';
import { startScript } from './fixtures/script-process.ts';
import { LmdbStore } from './lmdb-store.ts';
import { openLocalStore } from './open-local-store.ts';
import { SyncClient } from './sync-client.ts';

const newDirectory = () => mkdtempSync(join(tmpdir(), 'tidemark-client-'));

describeLocalStore('LmdbStore', async () => {
  const directory = newDirectory();
  return {
    open: () => new LmdbStore(join(directory, 'store')),
    dispose: async () => rmSync(directory, { recursive: true, force: true }),
  };
});

describe('LmdbStore', () => {
  it('says which directory it cannot open', async () => {
    const directory = newDirectory();
    const place = join(directory, 'a file', 'store');
    writeFileSync(join(directory, 'a file'), '');
    await expect(new LmdbStore(place).load()).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining(place),
    });
    rmSync(directory, { recursive: true });
  });
});

describe('one folder and several who want it', () => {
  const withFolder = (test: (folder: string) => Promise<void>) => async () => {
    const folder = newDirectory();
    try {
      await test(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  it(
    'refuses the second of one process, under another name too, and leaves the first one whole',
    withFolder(async (folder) => {
      const [real, other] = [join(folder, 'real'), join(folder, 'other')];
      mkdirSync(real);
      symlinkSync(real, other);
      const first = new LmdbStore(real);
      await first.load();
      for (const name of [real, other]) {
        await expect(new LmdbStore(name).load()).rejects.toMatchObject({
          code: 'inUse',
          message: expect.stringContaining(`${real} is in use by process ${process.pid}`),
        });
      }
      await first.write({ ...emptyBatch, putEntries: [entryOf('e')] });
      await first.close();
      const next = new LmdbStore(other);
      expect((await next.load()).entries).toHaveLength(1);
      await next.close();
    }),
  );

  it(
    'opens for one of several that come at once',
    withFolder(async (folder) => {
      const stores = [1, 2, 3].map(() => new LmdbStore(folder));
      const results = await Promise.allSettled(stores.map((store) => store.load()));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const index = results.findIndex(({ status }) => status === 'fulfilled');
      await stores[index]?.write({ ...emptyBatch, putEntries: [entryOf('e')] });
      for (const store of stores) await store.close();
    }),
  );

  it(
    'refuses while another process has it, and not when that one was killed: what it kept is there',
    withFolder(async (folder) => {
      const uri = pathToFileURL(folder).href;
      await using holder = startScript('hold-store.ts', [uri, 'ann']);
      expect(await holder.line()).toBe('open 0');
      const store = openLocalStore(uri, 'ann');
      const refused = expect.objectContaining({
        code: 'inUse',
        message: expect.stringContaining(`process ${holder.pid}`),
      });
      await expect(store.load()).rejects.toEqual(refused);
      const client = createClient({ url: 'http://127.0.0.1:9', store: openLocalStore(uri, 'ann'), connect: false });
      await expect(client.ready).rejects.toMatchObject({ name: 'ClientError', code: 'store_in_use' });
      await client.close();
      const original = new SyncClient('http://127.0.0.1:9', 'ann', uri);
      await expect(original.initialize()).rejects.toMatchObject({ name: 'ClientError', code: 'store_in_use' });
      await holder.kill();
      expect((await store.load()).entries.map(({ id }) => id)).toEqual([`of ${holder.pid}`]);
      await using late = startScript('hold-store.ts', [uri, 'ann']);
      expect(await late.line()).toContain(`inUse: LocalStoreError: the local store`);
      await store.close();
      await original.initialize();
      expect(original.getPendingChangesCount()).toBe(1);
      await original.disconnect();
    }),
    30_000,
  );

  it(
    'writes nothing more when somebody else has taken it',
    withFolder(async (folder) => {
      const store = new LmdbStore(folder);
      await store.load();
      await store.write({ ...emptyBatch, putEntries: [entryOf('kept')] });
      const owner = JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8'));
      writeFileSync(join(folder, 'owner.json'), JSON.stringify({ ...owner, token: 'theirs' }));
      await expect(store.write({ ...emptyBatch, deleteEntries: ['kept'] })).rejects.toMatchObject({ code: 'inUse' });
      expect((await store.load()).entries).toHaveLength(1);
      await store.close();
      expect(JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8'))).toMatchObject({ token: 'theirs' });
    }),
  );

  it(
    'takes an owner that a crash of the machine cut off for nobody',
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'owner.json'), '{"pid":');
      const store = new LmdbStore(folder);
      await store.load();
      await store.close();
    }),
  );
});

describe('a disk that is full', () => {
  it('refuses the write as full, keeps the others, and takes more when there is room', async () => {
    const folder = newDirectory();
    const uri = pathToFileURL(folder).href;
    // Files of this process cannot grow beyond a size: the write that tries fails, as on a full disk.
    await using child = startScript('fill-store.ts', [uri], "trap '' XFSZ; ulimit -f 2048;");
    const report = JSON.parse(await child.line());
    expect(report.kept).toBeGreaterThan(5);
    expect(report).toEqual({ kept: report.kept, result: 'full', again: 'full', entries: report.kept });
    await child.kill();
    const store = openLocalStore(uri, 'ann');
    await store.write({ ...emptyBatch, putEntries: [entryOf('more')] });
    expect((await store.load()).entries).toHaveLength(report.kept + 1);
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);
});
