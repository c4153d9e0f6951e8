import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStore } from '../conformance/index.ts';
import { openEmbeddedStore } from './open-embedded-store.ts';

describeStore('embedded', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-store-'));
  return {
    open: (options) => openEmbeddedStore({ directory, ...options }),
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
});
