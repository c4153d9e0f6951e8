import { describe, expect, it } from '@jest/globals';
import { collectionName, commit } from '../conformance/writes.ts';
import type { Store } from '../port.ts';
import { Environment } from './environment.ts';
import { useScope } from './fixtures/scope.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { buildIndexes } from './index-builder.ts';
import { IndexCatalog } from './index-catalog.ts';
import { openEmbeddedStore } from './open-embedded-store.ts';

const scope = useScope();

const tasks = collectionName('tasks');

async function write(
  directory: string,
  indexes: readonly string[],
  run: (store: Store) => Promise<unknown>,
): Promise<void> {
  const store = await openEmbeddedStore({ directory, lanes: 1, collections: () => ({ indexes }) });
  await run(store);
  await store.close();
}

/** All index rows, and which paths count as indexed. */
async function indexOf(directory: string) {
  const environment = new Environment(directory);
  const rows = Array.from(environment.tables.index.getKeys({ start: '\0' }));
  const record = new IndexCatalog(environment.tables, () => undefined).record(tasks);
  await environment.close();
  return { rows, paths: record?.paths.toSorted(), unfinished: record?.unfinished };
}

const documents = Array.from({ length: 50 }, (_, n) => ({
  documentId: `d${n}`,
  fields: n % 5 === 0 ? null : { a: n % 3, b: [n, 'x'], c: { d: n % 2 } },
}));

describe('indexes', () => {
  it('are the same whether built later or kept up from the start', async () => {
    const early = await scope.use(temporaryDirectory());
    const late = await scope.use(temporaryDirectory());
    await write(early.path, ['a', 'b', 'c.d'], (store) => commit(store, documents));
    await write(late.path, [], (store) => commit(store, documents));
    expect(await indexOf(late.path)).toEqual({ rows: [], paths: [], unfinished: [] });
    await write(late.path, ['a', 'b', 'c.d'], async () => undefined);
    const built = await indexOf(late.path);
    expect(built).toEqual(await indexOf(early.path));
    expect(built.rows.length).toBe(40 * 4);
  });

  it('leave nothing behind when they are no longer declared', async () => {
    const directory = await scope.use(temporaryDirectory());
    await write(directory.path, ['a', 'b'], (store) => commit(store, documents));
    await write(directory.path, ['b'], async () => undefined);
    expect((await indexOf(directory.path)).rows).toHaveLength(40 * 2);
    await write(directory.path, [], async () => undefined);
    expect(await indexOf(directory.path)).toEqual({ rows: [], paths: [], unfinished: [] });
  });

  it('follow documents that change, are deleted and come back', async () => {
    const directory = await scope.use(temporaryDirectory());
    await write(directory.path, ['a'], async (store) => {
      await commit(store, [{ documentId: 'x', fields: { a: [1, 2, 2] } }]);
      await commit(store, [{ documentId: 'x', fields: { a: [2, 3] } }]);
      await commit(store, [{ documentId: 'x', fields: null }]);
    });
    expect((await indexOf(directory.path)).rows).toEqual([]);
    await write(directory.path, ['a'], (store) => commit(store, [{ documentId: 'x', fields: { other: 1 } }]));
    expect((await indexOf(directory.path)).rows).toHaveLength(1);
  });

  it('are built again when a build was cut off', async () => {
    const whole = await scope.use(temporaryDirectory());
    const cut = await scope.use(temporaryDirectory());
    await write(whole.path, ['a'], (store) => commit(store, documents));
    await write(cut.path, [], (store) => commit(store, documents));
    await cutOffBuild(cut.path);
    expect(await indexOf(cut.path)).toMatchObject({ paths: [], unfinished: ['a'] });
    await write(cut.path, ['a'], async () => undefined);
    expect(await indexOf(cut.path)).toEqual(await indexOf(whole.path));
    await cutOffBuild(cut.path, ['b']);
    await write(cut.path, [], async () => undefined);
    expect(await indexOf(cut.path)).toEqual({ rows: [], paths: [], unfinished: [] });
  });

  it('ignore what the settings say later, until the next opening', async () => {
    const directory = await scope.use(temporaryDirectory());
    let indexes: readonly string[] = [];
    const store = await openEmbeddedStore({ directory: directory.path, lanes: 1, collections: () => ({ indexes }) });
    await commit(store, [{ documentId: 'x', fields: { a: 1 } }]);
    indexes = ['a'];
    await commit(store, [{ documentId: 'y', fields: { a: 1 } }]);
    await store.close();
    expect((await indexOf(directory.path)).rows).toEqual([]);
  });

  it('take any value as a key, however long', async () => {
    const directory = await scope.use(temporaryDirectory());
    const values = [
      'x'.repeat(100_000),
      { deep: { er: ['y'.repeat(5_000)] } },
      '\0',
      '',
      null,
      1e308,
      { $oid: '5f1d3a2b4c5d6e7f80912345' },
    ];
    await write(directory.path, ['a'], (store) =>
      commit(
        store,
        values.map((a, n) => ({ documentId: '日'.repeat(160) + n, fields: { a } })),
      ),
    );
    expect((await indexOf(directory.path)).rows.length).toBeGreaterThanOrEqual(values.length - 1);
  });
});

/** Runs the build of an index and lets the third commit fail: record, a part of the rows, and then nothing more. */
async function cutOffBuild(directory: string, paths: readonly string[] = ['a']): Promise<void> {
  const environment = new Environment(directory);
  const catalog = new IndexCatalog(environment.tables, () => ({ indexes: paths }));
  let commits = 0;
  const failing = Object.assign(Object.create(environment), {
    tables: environment.tables,
    async commit(writes: Parameters<Environment['commit']>[0]) {
      commits += 1;
      if (commits > 2) throw new Error('cut off');
      await environment.commit(writes.slice(0, 10));
    },
  }) as Environment;
  await expect(buildIndexes(failing, catalog)).rejects.toThrow('cut off');
  await environment.close();
}
