import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createRules } from '@tidemark/access';
import { loadSettings } from '@tidemark/config';
import type { Store } from '@tidemark/storage';
import { type MongoServer, startMongo } from '@tidemark/storage/mongo-testing';
import { silentTelemetry } from '@tidemark/telemetry';
import { openStore } from './open-store.ts';

jest.setTimeout(60_000);

let mongo: MongoServer;
let folder: string;
let named = 0;
beforeAll(async () => {
  mongo = await startMongo();
  folder = await mkdtemp(join(tmpdir(), 'tidemark-open-store-'));
});
afterAll(async () => {
  await mongo?.stop();
  await rm(folder, { recursive: true, force: true });
});

function open(env: Readonly<Record<string, string>>): Promise<Store> {
  const settings = loadSettings({ env: { CONFIG_DIR: folder, ...env } });
  const rules = createRules(undefined, { production: false });
  return openStore({ settings, rules, telemetry: silentTelemetry(), onLost: () => undefined });
}

const onMongo = () => ({ MONGODB_URI: mongo.uri, MONGODB_DATABASE: `open-store-${process.pid}-${++named}` });

describe('the store that the settings ask for', () => {
  it('is embedded when nothing is said', async () => {
    const store = await open({ DATA_DIR: join(folder, 'data') });
    await store.check();
    expect(store.history.epochs.map(({ lanes }) => lanes)).toEqual([1]);
    await store.close();
  });

  it('is MongoDB with MONGODB_URI, for one server alone: a second one is told to set REDIS_URL', async () => {
    const env = onMongo();
    const first = await open(env);
    await expect(open(env)).rejects.toThrow(/another server .* uses this database alone.*REDIS_URL/);
    await first.close();
    const next = await open(env);
    expect(next.history.id).toBe(first.history.id);
    await next.close();
  });

  it('is MongoDB for many with REDIS_URL, in eight lanes', async () => {
    const env = { ...onMongo(), REDIS_URL: 'redis://127.0.0.1:1' };
    const both = [await open(env), await open(env)];
    expect(both[0]!.history).toEqual(both[1]!.history);
    expect(both[0]!.history.epochs.map(({ lanes }) => lanes)).toEqual([8]);
    for (const store of both) await store.close();
  });
});
