import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeLocalStore } from '../local/conformance/local-store.ts';
import { LmdbStore } from './lmdb-store.ts';

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
