import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { newName } from '../rig/backends.ts';
import { RedisCluster } from '../rig/redis-cluster.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { FaultBench } from './fault-bench.ts';

jest.setTimeout(240_000);

/** Six servers of Redis beside a fleet take a machine of their own: TIDEMARK_TEST_CLUSTER=1 npx jest test/fleet/cluster-failover */
const wanted = process.env.TIDEMARK_TEST_CLUSTER ? describe : describe.skip;

wanted('a fleet in use on a Redis Cluster survives', () => {
  let cluster: RedisCluster;
  let bench: FaultBench;
  beforeAll(async () => {
    cluster = await RedisCluster.start();
    const reroute = async () => ({ REDIS_URL: cluster.url, REDIS_KEY_PREFIX: newName() });
    bench = await FaultBench.start({ backends: { redis: false }, reroute });
  });
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  it.each([0, 1, 2])('the death of master %i, whose replica takes over, and its return', async (index) => {
    const master = (await cluster.masters())[index];
    await bench.survive(async (workload) => {
      await master!.kill();
      // With the one that died there are five left, and three of them serve.
      await waitUntil(async () => (await cluster.masters()).length === 3, { within: 30_000, what: 'a replica serves' });
      await workload.progress(100);
      await master!.start();
      await cluster.whole();
      await workload.progress(100);
    });
    expect(bench.fleet.services.filter(({ isRunning }) => !isRunning)).toEqual([]);
  });
});
