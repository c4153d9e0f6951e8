import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { connectRedis } from '@tidemark/transport/redis';
import { Backends } from '../rig/backends.ts';
import { Fleet } from '../rig/fleet.ts';
import { Ledger } from '../rig/ledger.ts';
import { ServiceProcess } from '../rig/service-process.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { Workload } from '../rig/workload.ts';

jest.setTimeout(120_000);

/** A writer waits for three seconds that others end. */
const quick = { NODE_ENV: 'development', LEASE_TTL_MS: '1000', DRAIN_TIMEOUT_MS: '1000', JOB_TIMEOUT_MS: '4000' };

let backends: Backends;
beforeAll(async () => {
  backends = await Backends.start();
}, 60_000);
afterAll(() => backends?.[Symbol.asyncDispose]());

/** Settings of services that were told so many lanes, in a database of their own. */
const told = (MONGODB_DATABASE: string, LANES: number) => ({
  ...backends.env,
  ...quick,
  MONGODB_DATABASE,
  REDIS_KEY_PREFIX: MONGODB_DATABASE,
  LANES: String(LANES),
});

async function layouts(database: string): Promise<readonly number[]> {
  await using ledger = await Ledger.open(told(database, 1));
  return ledger.layouts;
}

/** Keys of the connections that gateways count for the limits. */
async function countedConnections(prefix: string): Promise<readonly string[]> {
  const redis = connectRedis({ url: backends.redis.url });
  try {
    const keys = () => redis.commands().keys(`{${prefix}}:connections:*`);
    return await waitUntil(() => keys().catch(() => undefined), { what: 'Redis answers' });
  } finally {
    await redis.close();
  }
}

describe('the number of lanes', () => {
  it('changes when the last writer of the old one is gone, under the hands of the clients', async () => {
    const env = told('changes', 2);
    await using fleet = await Fleet.start({ gateways: 1, writers: 1, env });
    await using workload = await Workload.start({ collection: 'things', urls: () => fleet.urls, clients: 2 });
    await workload.progress(30);
    const startNew = () => ServiceProcess.start('writer', told('changes', 3));
    await expect(startNew()).rejects.toThrow(/LANES=3 would change .* is 2; .* stop all writers first/);
    await workload.progress(10);
    await fleet.writers[0]!.stop();
    await using _writer = await startNew();
    for (const outdated of [...fleet.gateways, ...fleet.janitors]) {
      const errors = `tidemark ${outdated.name}: the number of lanes was changed: start this ${outdated.name} again\n`;
      expect(await outdated.ended()).toEqual({ code: 1, errors });
      if (outdated.name === 'gateway') expect(await countedConnections('changes')).toEqual([]);
      // Told the old number still: only writers change it.
      await outdated.start();
      await outdated.ready();
    }
    await workload.progress(60);
    await expect(fleet.writers[0]!.start()).rejects.toThrow(/LANES=2 would change .* is 3/);
    await using ledger = await Ledger.open(env);
    expect(ledger.layouts).toEqual([2, 3]);
    expect({ faults: await workload.faults(ledger), ...workload.summary }).toMatchObject({ faults: [] });
  });

  it('does not go back and forth between two writers that were told different ones', async () => {
    const start = (lanes: number) => ServiceProcess.start('writer', told('differ', lanes));
    const starts = await Promise.allSettled([start(2), start(3)]);
    const started = starts.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    try {
      // Where both came up, the one whose epoch the other has ended follows.
      const serving = () => started.filter(({ isRunning }) => isRunning);
      await waitUntil(() => serving().length === 1, { within: 20_000, what: 'one of them serves' });
      const winner = serving()[0]!;
      await winner.ready();
      const found = await layouts('differ');
      const [won, lost] = found.at(-1) === 2 ? [2, 3] : [3, 2];
      await expect(start(lost)).rejects.toThrow(`LANES=${lost} would change the number of lanes, which is ${won}`);
      expect(winner.isRunning).toBe(true);
      expect(await layouts('differ')).toEqual(found);
      expect(found.length).toBeLessThanOrEqual(2);
    } finally {
      await Promise.all(started.map((writer) => writer.kill()));
    }
  });
});
