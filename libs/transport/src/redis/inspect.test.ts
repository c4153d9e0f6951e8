import { afterEach, describe, expect, it } from '@jest/globals';
import { connectRedis, type RedisConnections } from './connections.ts';
import { findRedisFaults, inspectRedis, parseInfo } from './inspect.ts';
import { type RedisServer, startRedisServer } from './testing/index.ts';

const info = (fields: Record<string, string>) =>
  parseInfo(['# Server', ...Object.entries(fields).map(([key, value]) => `${key}:${value}`), ''].join('\r\n'));
const settingsOf = (fields: Record<string, string>) => findRedisFaults(info(fields)).map((fault) => fault.setting);

describe('findRedisFaults', () => {
  const good = { redis_version: '7.2.4', maxmemory_policy: 'noeviction', aof_enabled: '1' };

  it('finds nothing in a good server', () => {
    expect(settingsOf(good)).toEqual([]);
    expect(settingsOf({ ...good, valkey_version: '8.1.0', server_name: 'valkey' })).toEqual([]);
  });

  it.each([
    ['6.2.0', []],
    ['6.0.16', ['version']],
    ['5.0.14', ['version']],
    ['10.0.0', []],
  ])('judges version %s', (redis_version, expected) => {
    expect(settingsOf({ ...good, redis_version })).toEqual(expected);
  });

  it('says what is found and wanted', () => {
    const faults = findRedisFaults(info({ ...good, maxmemory_policy: 'allkeys-lru', aof_enabled: '0' }));
    expect(faults).toMatchObject([
      { setting: 'maxmemory-policy', severity: 'error', found: 'allkeys-lru', wanted: 'noeviction' },
      { setting: 'appendonly', severity: 'warning', found: 'no', wanted: 'yes' },
    ]);
    expect(faults[0]?.message).toContain('allkeys-lru');
  });

  it('does not complain about what a managed service hides', () => {
    expect(settingsOf({})).toEqual([]);
  });
});

describe('inspectRedis', () => {
  let server: RedisServer | undefined;
  let connections: RedisConnections | undefined;
  afterEach(async () => {
    await connections?.close();
    await server?.[Symbol.asyncDispose]();
  });

  it('finds a real server in order', async () => {
    server = await startRedisServer();
    connections = connectRedis({ url: server.url });
    expect(await inspectRedis(connections)).toEqual([]);
  });

  it('finds what is wrong with a real server', async () => {
    server = await startRedisServer({ appendOnly: false, args: ['--maxmemory-policy', 'allkeys-lru'] });
    connections = connectRedis({ url: server.url });
    expect((await inspectRedis(connections)).map((fault) => fault.setting)).toEqual(['maxmemory-policy', 'appendonly']);
  });

  it('is unavailable when Redis is not there', async () => {
    connections = connectRedis({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 200 });
    await expect(inspectRedis(connections)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
