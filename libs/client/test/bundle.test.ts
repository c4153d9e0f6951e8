import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { bundleForBrowser } from './bundle-for-browser.ts';

/** 25 KB, gzipped, without Socket.IO. Deflate comes out a little different on different processors, so there must be some room. */
const budget = 25 * 1_024;

const bundle = (entry: string) =>
  bundleForBrowser({
    entryPoints: [join(__dirname, '../src', entry)],
    conditions: ['tidemark-source'],
    external: ['socket.io-client', 'idb'],
  });

describe('the bundle of a browser', () => {
  it('stays small', async () => {
    const { size } = await bundle('index.ts');
    expect(size).toBeGreaterThan(10_000);
    expect(size).toBeLessThan(budget);
  });

  it('holds no schemas, no tabs and nothing for Node', async () => {
    const { inputs } = await bundle('index.ts');
    expect(inputs.filter((path) => /zod|messages\/|tabs\/|src\/node\/|lmdb|mongodb/.test(path))).toEqual([]);
  });

  it('can be made of the stores of browsers too', async () => {
    const { inputs } = await bundle('browser/index.ts');
    expect(inputs.some((path) => path.endsWith('web-tabs.ts'))).toBe(true);
  });
});
