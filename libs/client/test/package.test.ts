import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundleForBrowser } from './bundle-for-browser.ts';
import { InstalledPackage } from './installed-package.ts';

/** Bytes, gzipped, without Socket.IO; as in bundle.test.ts. */
const coreBudget = 25 * 1_024;

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await InstalledPackage.install();
}, 120_000);

afterAll(async () => {
  await installed[Symbol.asyncDispose]();
});

/** Uses every subpath; `names` is what each exports. */
const program = `
async function main() {
  const client = core.createClient({ url: 'http://localhost:1', store: new core.MemoryStore(), connect: false });
  await client.collection('tasks').insert({ _id: 'a', title: 'pack', done: false });
  await client.collection('tasks').insert({ _id: 'b', title: 'unpack', done: true });
  const query = client.collection('tasks').query('done == $0', true);
  await client.ready;
  const found = (await query.find()).map(({ _id }) => _id);

  const element = createElement(react.TidemarkProvider, { client }, createElement(Status));
  function Status() { return react.useSyncStatus().pending + ' pending'; }

  const sync = new node.SyncClient('http://localhost:1', 'ann', 'file:///dev/null/nowhere');
  const error = await sync.initialize().catch((reason) => reason);
  const closed = new node.LmdbStore(folder);
  await closed.close();
  const refusal = await closed.write({}).catch((reason) => reason);

  const [one, other] = [1, 2].map(() => new node.SyncClient('http://localhost:1', 'ann', 'file://' + folder));
  await one.makeChange('insert', 'tasks', 'c', { title: 'share' });
  await other.initialize();

  console.log(JSON.stringify({
    found,
    rendered: renderToString(element),
    isClientError: error instanceof core.ClientError,
    isStoreError: refusal instanceof core.LocalStoreError,
    shared: other.getPendingChangesCount(),
    names: [core, browser, node, react, devtools].map((module) => Object.keys(module).filter((name) => name !== 'default').sort()),
  }));
  await client.close();
  await one.disconnect();
  await other.disconnect();
}
main();
`;

const subpaths = { core: '', browser: '/browser', node: '/node', react: '/react', devtools: '/devtools' };
const requires = Object.entries(subpaths).map(([name, path]) => `const ${name} = require('@tidemark/client${path}');`);
const imports = Object.entries(subpaths).map(([name, path]) => `import * as ${name} from '@tidemark/client${path}';`);

const expected = {
  found: ['b'],
  rendered: '2 pending',
  isClientError: true,
  isStoreError: true,
  shared: 1,
  names: [
    expect.arrayContaining(['Client', 'ClientError', 'MemoryStore', 'createClient']),
    ['IndexedDbStore', 'webTabs'],
    ['LmdbStore', 'MongoStore', 'SyncClient', 'openLocalStore'],
    expect.arrayContaining(['TidemarkProvider', 'useQuery']),
    ['mountDevtools'],
  ],
};

describe('the package as it is installed', () => {
  it('works in CommonJS, where all subpaths share their classes and their clients', async () => {
    const head = `const { createElement } = require('react'); const { renderToString } = require('react-dom/server');
      const folder = require('node:path').join(__dirname, 'store-of-cjs');`;
    await installed.write({ 'app.cjs': `${requires.join('\n')}\n${head}\n${program}` });
    expect(JSON.parse(await installed.node('app.cjs'))).toEqual(expected);
  }, 60_000);

  it('works in ES modules, with the same guarantees', async () => {
    const head = `import { createElement } from 'react'; import { renderToString } from 'react-dom/server';
      const folder = new URL('store-of-esm', import.meta.url).pathname;`;
    await installed.write({ 'app.mjs': `${imports.join('\n')}\n${head}\n${program}` });
    expect(JSON.parse(await installed.node('app.mjs'))).toEqual(expected);
  }, 60_000);

  it.each([
    [
      'CommonJS',
      'commonjs',
      "import core = require('@tidemark/client'); import node = require('@tidemark/client/node');",
    ],
    [
      'ES modules',
      'module',
      "import * as core from '@tidemark/client'; import * as node from '@tidemark/client/node';",
    ],
  ])(
    'has types for %s, and all that they name',
    async (_, type, head) => {
      const source = `${head}
      import { useQuery } from '@tidemark/client/react';
      import { IndexedDbStore } from '@tidemark/client/browser';
      import { mountDevtools } from '@tidemark/client/devtools';
      const client: core.Client = core.createClient({ url: '', store: node.openLocalStore('file:///x', 'ann') });
      client.on('delivered', ([change]) => {
        change?.documentId satisfies string | { $oid: string } | { $uuid: string } | undefined;
        // @ts-expect-error: its type is known, all the way down
        change?.documentId satisfies number;
      });
      client.collection('tasks').query('done == $0', true).observe(({ documents }) => documents.length satisfies number);
      export const all = [useQuery, IndexedDbStore, mountDevtools, new node.SyncClient('', 'ann', '')];
      // @ts-expect-error: options are an object
      core.createClient('http://localhost');
    `;
      const options = {
        module: 'node16',
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        lib: ['es2023', 'dom'],
        types: [],
      };
      await installed.write({
        [`typed-${type}/package.json`]: JSON.stringify({ type }),
        [`typed-${type}/tsconfig.json`]: JSON.stringify({ compilerOptions: options, files: ['app.ts'] }),
        [`typed-${type}/app.ts`]: source,
      });
      expect(await installed.complaints(`typed-${type}`)).toBe('');
    },
    60_000,
  );

  it('goes into a bundle for browsers as it is, without anything of Node', async () => {
    await installed.write({ 'page.js': `export { createClient } from '@tidemark/client';` });
    const core = await bundle('page.js');
    expect(core.size).toBeLessThan(coreBudget);
    expect(core.inputs.filter((path) => /zod|lmdb|mongodb|node\/index/.test(path))).toEqual([]);
    await installed.write({
      'whole.js': Object.values(subpaths)
        .filter((path) => path !== '/node')
        .map((path) => `export * from '@tidemark/client${path}';`)
        .join('\n'),
    });
    const whole = await bundle('whole.js');
    expect(whole.size).toBeGreaterThan(core.size);
  });
});

const bundle = (entry: string) =>
  bundleForBrowser({
    absWorkingDir: installed.folder,
    entryPoints: [entry],
    external: ['socket.io-client', 'react'],
  });
