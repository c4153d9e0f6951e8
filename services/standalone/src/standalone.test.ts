import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { loadSettings } from '@tidemark/config';
import { silentTelemetry } from '@tidemark/telemetry';
import type { Bus } from '@tidemark/transport';
import { type StandaloneOptions, startStandalone } from './standalone.ts';

/** A bus whose listeners cannot be taken off. */
const stuck = (bus: Bus): Bus => ({
  publishFeed: (message) => bus.publishFeed(message),
  publishReply: (gateway, reply) => bus.publishReply(gateway, reply),
  subscribeReplies: (gateway, listener) => bus.subscribeReplies(gateway, listener),
  async subscribeFeed(listener) {
    await bus.subscribeFeed(listener);
    return () => Promise.reject(new Error('stuck'));
  },
  check: () => bus.check(),
  close: () => bus.close(),
});

it('a part that cannot stop does not keep the others from it: the store is closed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-standalone-'));
  const settings = loadSettings({ env: { NODE_ENV: 'development', PORT: '0', DATA_DIR: folder } });
  const start = (wrap: StandaloneOptions['wrap'] = {}) =>
    startStandalone({ settings, version: '0', telemetry: silentTelemetry(), wrap });
  try {
    const broken = await start({ bus: stuck });
    await expect(broken.stop()).rejects.toThrow('stuck');
    await expect(broken.stop()).rejects.toThrow('stuck');
    // Only one server may use the folder.
    const next = await start();
    await next.stop();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
