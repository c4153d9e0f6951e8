import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { connectRedis } from '@tidemark/transport/redis';
import { Backends } from '../rig/backends.ts';
import { connectClient } from '../rig/client.ts';
import { ServiceProcess } from '../rig/service-process.ts';
import { waitUntil } from '../rig/wait-until.ts';

jest.setTimeout(120_000);

let backends: Backends;
const services: ServiceProcess[] = [];
beforeAll(async () => {
  backends = await Backends.start({ redis: { args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] } });
}, 60_000);
afterAll(async () => {
  await Promise.all(services.map((service) => service.kill()));
  await backends?.[Symbol.asyncDispose]();
});

/** Resolves when `/ready` of all of them says that. */
async function allSay(expected: object): Promise<void> {
  let said: unknown;
  const agree = async () => {
    said = await Promise.all(services.map((service) => service.readiness()));
    return JSON.stringify(said) === JSON.stringify(services.map(() => expected));
  };
  await waitUntil(agree, {
    within: 20_000,
    what: () => `all say ${JSON.stringify(expected)}: ${JSON.stringify(said)}`,
  });
}

async function setPolicy(policy: string): Promise<void> {
  const redis = connectRedis({ url: backends.redis.url });
  await waitUntil(
    async () =>
      (await redis
        .commands()
        .ping()
        .catch(() => '')) === 'PONG',
  );
  await redis.commands().config('SET', 'maxmemory-policy', policy);
  await redis.close();
}

it('a fleet that starts before Redis, on a Redis that may throw jobs away, says so and serves when both are mended', async () => {
  await backends.redis.kill();
  const env = { ...backends.env, NODE_ENV: 'development' };
  const start = (name: 'writer' | 'janitor' | 'gateway') => ServiceProcess.start(name, env);
  // One that has clients does not wait: its orchestrator starts it again.
  const refusal = 'the gateway ended: tidemark gateway: Redis does not answer.';
  const refused = expect(start('gateway')).rejects.toThrow(refusal);
  services.push(...(await Promise.all([start('writer'), start('janitor')])));
  await refused;
  for (const service of services) {
    const { status, failing } = await service.readiness();
    expect([service.name, status, failing]).toEqual([
      service.name,
      'not_ready',
      expect.arrayContaining(['bus', 'queue', 'redis_settings']),
    ]);
    expect(service.log.length).toBeLessThan(30);
  }
  await backends.redis.start();
  services.push(await start('gateway'));
  const sentence =
    'Redis may throw jobs away when its memory is full: set maxmemory-policy to noeviction (it is allkeys-lru).';
  await allSay({ status: 'not_ready', failing: ['redis_settings'], misconfigured: [sentence] });
  await setPolicy('noeviction');
  await allSay({ status: 'ready' });
  await using client = await connectClient(services[2]!.url, { userId: 'u' });
  await client.join({ protocol: 1 });
  expect(await client.write({ collection: 'things', documentId: 'd', data: {} })).toMatchObject({ outcome: 'applied' });
});
