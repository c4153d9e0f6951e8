import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { generate } from 'selfsigned';
import { createRecorder, feed, job, lane } from '../conformance/index.ts';
import type { FeedMessage } from '../port.ts';
import { createRedisBus } from './bus.ts';
import { connectRedis, type RedisConnections, type RedisOptions } from './connections.ts';
import { createRedisLeases } from './leases.ts';
import { createRedisQueue } from './queue.ts';
import { type RedisServer, startRedisServer } from './testing/index.ts';

const opened: RedisConnections[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connections) => connections.close()));
});

function open(options: RedisOptions): RedisConnections {
  const connections = connectRedis({ keyPrefix: randomUUID(), commandTimeoutMs: 1_000, ...options });
  opened.push(connections);
  return connections;
}

/** A job, a message and a lease make their way: every kind of connection is used. */
async function expectWorking(connections: RedisConnections): Promise<void> {
  const queue = createRedisQueue(connections);
  const bus = createRedisBus(connections);
  const done = createRecorder<string>();
  const entries = createRecorder<FeedMessage>();
  await queue.consume(lane(0), { concurrency: 1 }, async (one) => done.add(one.id));
  await bus.subscribeFeed((message) => entries.add(message));
  await queue.enqueue(job('over'));
  await bus.publishFeed(feed(1));
  expect(await done.reached(1)).toEqual(['over']);
  expect(await entries.reached(1)).toEqual([feed(1)]);
  expect(await createRedisLeases(connections).acquire('lane', 'me', 1_000)).toBeDefined();
  await bus.close();
  await queue.close();
}

const refused = (connections: RedisConnections) =>
  expect(createRedisQueue(connections).enqueue(job('no'))).rejects.toMatchObject({ code: 'unavailable' });

describe('user and password', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer({
      args: ['--requirepass', 'top/secret', '--user', 'tidemark', 'on', '>p@ss', '~*', '&*', '+@all'],
      client: { password: 'top/secret' },
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const at = (identity: string) => server.url.replace('redis://', `redis://${identity}`);

  it('lets in by password', () => expectWorking(open({ url: at(':top%2Fsecret@') })));
  it('lets in by user and password', () => expectWorking(open({ url: at('tidemark:p%40ss@') })));
  it('is unavailable, not stuck, with a wrong or no password', async () => {
    await refused(open({ url: at(':wrong@') }));
    await refused(open({ url: at('') }));
  });
});

describe('TLS', () => {
  let server: RedisServer;
  let directory: string;
  let ca: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-tls-'));
    const names = [{ type: 2 as const, value: 'localhost' }];
    const extensions = [{ name: 'subjectAltName' as const, altNames: names }];
    const pem = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048, extensions });
    ca = pem.cert;
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    await Promise.all([writeFile(cert, pem.cert), writeFile(key, pem.private)]);
    server = await startRedisServer({
      tls: { cert, key, ca: pem.cert },
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  it('works over rediss:// with a certificate that is trusted', async () => {
    expect(server.url).toMatch(/^rediss:/);
    await expectWorking(open({ url: server.url, tls: { ca } }));
  });

  it('survives what a socket has to say after its first error', async () => {
    const connections = open({ url: server.url, tls: { ca } });
    await expectWorking(connections);
    const { stream } = connections.commands() as Redis;
    stream.emit('error', new Error('the first'));
    stream.emit('error', new Error('the second'));
    expect(stream.listenerCount('error')).toBeGreaterThan(0);
  });

  it('does not talk to a server whose certificate is not trusted', () => refused(open({ url: server.url })));
  it('does not talk in the clear', () => refused(open({ url: server.url.replace('rediss:', 'redis:') })));
});
