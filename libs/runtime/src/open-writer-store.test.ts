import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createRules } from '@tidemark/access';
import { loadSettings, SettingsError } from '@tidemark/config';
import { SyncError } from '@tidemark/protocol';
import type { Store } from '@tidemark/storage';
import { type MongoServer, startMongo } from '@tidemark/storage/mongo-testing';
import { silentTelemetry } from '@tidemark/telemetry';
import { openWriterStore } from './open-writer-store.ts';

jest.setTimeout(60_000);

let mongo: MongoServer;
let database = '';
let named = 0;
beforeAll(async () => {
  mongo = await startMongo();
});
afterAll(() => mongo?.stop());

/** The writers that live, as asked each time. */
type Living = () => readonly string[];

function open(lanes: number, living: Living): Promise<Store> {
  const env = {
    CONFIG_DIR: '/nowhere',
    MONGODB_URI: mongo.uri,
    MONGODB_DATABASE: database,
    REDIS_URL: 'redis://127.0.0.1:1',
    LANES: String(lanes),
    LEASE_TTL_MS: '500',
    DRAIN_TIMEOUT_MS: '100',
  };
  const rules = createRules(undefined, { production: false });
  const leases = { holders: async () => living() };
  const settings = loadSettings({ env });
  return openWriterStore({ settings, rules, telemetry: silentTelemetry(), onLost: () => undefined, leases });
}

/** The numbers of lanes, epoch by epoch, as the next writer of that many finds or makes them. */
async function epochs(lanes: number, living: Living): Promise<readonly number[]> {
  const store = await open(lanes, living);
  await store.close();
  return store.history.epochs.map((epoch) => epoch.lanes);
}

const away: Living = () => {
  throw new SyncError('unavailable', 'Redis does not answer.');
};

describe('the store of a writer', () => {
  beforeAll(async () => {
    database = `writer-store-${process.pid}-${++named}`;
    expect(await epochs(2, away)).toEqual([2]);
  });

  it('with the stored number of lanes asks nobody', async () => {
    expect(await epochs(2, away)).toEqual([2]);
  });

  it('keeps the number while another writer lives, and says what to do', async () => {
    const opened = epochs(3, () => ['other']);
    await expect(opened).rejects.toThrow(SettingsError);
    await expect(opened).rejects.toThrow(
      'LANES=3 would change the number of lanes, which is 2; but 1 other writer(s) run with that: stop all writers first, or start this one with LANES as they have it',
    );
    expect(await epochs(2, away)).toEqual([2]);
  });

  it('keeps the number when nobody knows whether another writer lives', async () => {
    await expect(epochs(3, away)).rejects.toThrow('Redis, which knows the other writers, does not answer');
    expect(await epochs(2, away)).toEqual([2]);
  });

  it('waits for those that end, through an outage too, and then begins an epoch', async () => {
    const answers = [() => ['ending'], away, () => ['ending'], () => []];
    expect(await epochs(3, () => (answers.shift() ?? away)())).toEqual([2, 3]);
    expect(answers).toEqual([]);
    expect(await epochs(3, away)).toEqual([2, 3]);
  });
});
