import { describe, expect, it } from '@jest/globals';
import { clientOptions, parseRedisUrl, reconnectDelay } from './client-options.ts';

describe('parseRedisUrl', () => {
  it('reads host and port, with defaults', () => {
    expect(parseRedisUrl('redis://redis.example')).toEqual({
      addresses: [{ host: 'redis.example', port: 6379 }],
      cluster: false,
      username: undefined,
      password: undefined,
      db: 0,
      tls: false,
    });
  });

  it.each([
    ['redis://:secret@h:7000/3', { password: 'secret', username: undefined, db: 3, tls: false }],
    ['rediss://me:p%40ss%2F@h', { password: 'p@ss/', username: 'me', db: 0, tls: true }],
    ['redis://h/?cluster=true', { cluster: true }],
    ['redis://h?cluster=1', { cluster: true }],
    ['redis://h?cluster=false', { cluster: false }],
    ['redis://[::1]:7001', { addresses: [{ host: '::1', port: 7001 }] }],
    [
      'rediss://u:p@a:1, rediss://b:2',
      {
        cluster: true,
        tls: true,
        username: 'u',
        addresses: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
  ])('reads %s', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  it.each(['', 'redis.example:6379', 'http://h', 'redis://', 'redis://h/zero', 'redis://a,'])('refuses %p', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(TypeError);
  });

  it('does not repeat the password in its error', () => {
    let message = '';
    try {
      parseRedisUrl('http://user:hunter2@h');
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('rediss://');
    expect(message).not.toContain('hunter2');
  });
});

describe('clientOptions', () => {
  const settings = { target: parseRedisUrl('rediss://me:secret@h/2'), tls: { ca: 'PEM' }, commandTimeoutMs: 1_234 };

  it('lets commands fail fast', () => {
    const options = clientOptions('commands', settings);
    expect(options).toMatchObject({ enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 1_234 });
  });

  it.each(['worker', 'subscriber'] as const)('lets a %s wait for ever', (role) => {
    const options = clientOptions(role, settings);
    expect(options.maxRetriesPerRequest).toBeNull();
    expect(options.commandTimeout).toBeUndefined();
    expect(options.enableOfflineQueue).toBeUndefined();
  });

  it('carries identity, database and TLS', () => {
    const options = clientOptions('worker', settings);
    expect(options).toMatchObject({ username: 'me', password: 'secret', db: 2, tls: { ca: 'PEM' } });
    const plain = clientOptions('worker', { ...settings, target: parseRedisUrl('redis://h') });
    expect([plain.tls, plain.username, plain.password]).toEqual([undefined, undefined, undefined]);
  });

  it('reconnects and sends again after a failover, and after no other error', () => {
    const { reconnectOnError } = clientOptions('worker', settings);
    expect(reconnectOnError?.(new Error("READONLY You can't write against a read only replica."))).toBe(2);
    expect(reconnectOnError?.(new Error('OOM command not allowed'))).toBe(false);
  });
});

describe('reconnectDelay', () => {
  it('starts quickly and stays within a second, for ever', () => {
    expect(reconnectDelay(1)).toBeLessThan(250);
    for (const times of [5, 20, 1_000, 1e6]) {
      expect(reconnectDelay(times)).toBeGreaterThanOrEqual(800);
      expect(reconnectDelay(times)).toBeLessThan(1_000);
    }
  });
});
