import { describe, expect, it, jest } from '@jest/globals';
import { loadSettings, SettingsError } from '@tidemark/config';
import { createHealth, silentTelemetry } from '@tidemark/telemetry';
import { type RedisServer, startRedisServer } from '@tidemark/transport/redis/testing';
import { openFleetTransport, openInProcessTransport } from './open-transport.ts';
import { requireFleet } from './require-fleet.ts';

jest.setTimeout(60_000);

const fleetEnv = (redis: RedisServer) => ({ MONGODB_URI: 'mongodb://127.0.0.1:1', REDIS_URL: redis.url });

async function openOn(redis: RedisServer) {
  const settings = loadSettings({ env: fleetEnv(redis) });
  requireFleet(settings);
  const transport = await openFleetTransport(settings, silentTelemetry());
  const health = createHealth({ version: '1', cacheMs: 0, timeoutMs: 5_000 });
  transport.watch(health);
  return { transport, health };
}

describe('the transport of one process', () => {
  it('is ready by itself', async () => {
    const transport = await openInProcessTransport(loadSettings({ env: {} }), silentTelemetry());
    const health = createHealth({ version: '1' });
    transport.watch(health);
    expect(await health.ready()).toEqual({ ready: true, failing: [] });
    await transport.close();
  });
});

describe('the transport of a fleet', () => {
  it('is ready on a Redis that is as it should be', async () => {
    await using redis = await startRedisServer();
    const { transport, health } = await openOn(redis);
    expect(await health.ready()).toEqual({ ready: true, failing: [] });
    await transport.close();
  });

  it('names a Redis that may throw jobs away, until that is mended', async () => {
    await using redis = await startRedisServer({ args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] });
    const { transport, health } = await openOn(redis);
    expect(await health.ready()).toEqual({
      ready: false,
      failing: ['redis_settings'],
      misconfigured: [expect.stringMatching(/set maxmemory-policy to noeviction \(it is allkeys-lru\)/)],
    });
    await transport.redis.commands().config('SET', 'maxmemory-policy', 'noeviction');
    expect(await health.ready()).toEqual({ ready: true, failing: [] });
    await transport.close();
  });

  it('only warns of a Redis without an append-only file', async () => {
    await using redis = await startRedisServer({ appendOnly: false });
    const { transport, health } = await openOn(redis);
    expect(await health.ready()).toEqual({ ready: true, failing: [] });
    await transport.close();
  });

  it('opens while Redis is away, says so, and is ready when it comes', async () => {
    await using redis = await startRedisServer();
    await redis.kill();
    const { transport, health } = await openOn(redis);
    expect((await health.ready()).failing).toEqual(['bus', 'queue', 'redis_settings']);
    await redis.start();
    for (let tries = 0; !(await health.ready()).ready; tries++) {
      if (tries > 200) throw new Error('the transport did not get ready');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await transport.close();
  });
});

describe('a service that runs apart', () => {
  it.each([[{}], [{ MONGODB_URI: 'mongodb://127.0.0.1:1' }]])('is refused without a fleet: %j', (env) => {
    expect(() => requireFleet(loadSettings({ env }))).toThrow(SettingsError);
    expect(() => requireFleet(loadSettings({ env }))).toThrow(/needs MONGODB_URI and REDIS_URL/);
  });
});
