import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startServer } from '../rig/server.ts';
import { runServerToEnd } from '../rig/server-process.ts';
import { mintToken, secret } from '../rig/tokens.ts';

jest.setTimeout(60_000);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-environment-'));
  await mkdir(join(folder, 'config'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const base = () => ({
  NODE_ENV: 'development',
  PORT: '0',
  DATA_DIR: join(folder, 'data'),
  CONFIG_DIR: join(folder, 'config'),
});
/** Words of the environment that must stop the start, and what its one message must name. */
const refusals: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ['production without a key', { NODE_ENV: 'production' }, /AUTH_JWT_SECRET/],
  ['a short key in production', { NODE_ENV: 'production', AUTH_JWT_SECRET: 'short' }, /AUTH_JWT_SECRET/],
  ['a limit that is none', { SYNC_RATE_LIMIT_MAX: '-1' }, /SYNC_RATE_LIMIT_MAX/],
  ['an environment that does not exist', { NODE_ENV: 'prodution' }, /NODE_ENV/],
  ['a hub without a connection string', { WEB_PUBSUB_HUB_NAME: 'Hub' }, /WEB_PUBSUB_CONNECTION_STRING/],
  ['rules that are not there', { RULES_FILE: '/nowhere/rules.yaml' }, /rules\.yaml/],
];

describe('a start that is refused', () => {
  it.each(refusals)('%s: the message names it', async (_what, env, words) => {
    await expect(startServer({ env })).rejects.toThrow(words);
  });

  it('a port that is none: the message names it', async () => {
    // Services of a fleet get their ports from the rig.
    await expect(startServer({ mode: 'standalone', env: { PORT: 'eighty' } })).rejects.toThrow(/PORT/);
  });

  it('Redis without MongoDB: the message names it', async () => {
    const env = { REDIS_URL: 'redis://localhost:1' };
    await expect(startServer({ mode: 'standalone', env })).rejects.toThrow(/MONGODB_URI/);
  });

  it('writes one line, and exits with 1', async () => {
    const { code, errors, output } = await runServerToEnd({ ...base(), NODE_ENV: 'production' });
    expect([code, errors]).toEqual([1, expect.stringMatching(/AUTH_JWT_SECRET/)]);
    expect(errors.trim().split('\n')).toHaveLength(1);
    expect(output).not.toContain('"ready"');
  });

  it.each([
    ['an unknown key', { sync: { maxBatchSise: 5 } }, /maxBatchSise/],
    ['a wrong type', { sync: { maxBatchSize: 'many' } }, /maxBatchSize/],
  ])('%s in the settings file', async (_what, file, words) => {
    await expect(startServer({ file })).rejects.toThrow(words);
  });

  it('rules that do not parse name file and position', async () => {
    const rules = 'collections:\n  tasks:\n    read: owner ==\n';
    await expect(startServer({ rules })).rejects.toThrow(/rules\.yaml:3/);
  });

  it('a second server on the same folder of data', async () => {
    await using server = await startServer({ mode: 'standalone', process: true });
    const directory = server.folder;
    const { code, errors } = await runServerToEnd({ ...base(), DATA_DIR: join(directory, 'data') });
    expect(code).toBe(1);
    expect(errors.trim().split('\n')).toHaveLength(1);
    expect((await server.get('/ready')).status).toBe(200);
  });
});

describe('--help', () => {
  it('prints the whole table', async () => {
    const { code, output } = await runServerToEnd(base(), ['--help']);
    expect(code).toBe(0);
    for (const name of [
      'PORT NODE_ENV MONGODB_URI REDIS_URL DATA_DIR AUTH_JWT_SECRET AUTH_JWKS_URL AUTH_ISSUER AUTH_AUDIENCE RULES_FILE',
      'WEB_PUBSUB_CONNECTION_STRING WEB_PUBSUB_HUB_NAME MAX_CONNECTIONS_PER_USER MAX_CONNECTIONS_PER_IP',
      'SYNC_RATE_LIMIT_MAX SYNC_RATE_LIMIT_WINDOW_MS RATE_LIMIT_DISABLED LOG_LEVEL ALLOWED_ORIGINS LANES',
      'MAX_CLOCK_SKEW_MS MAX_MESSAGE_SIZE BROADCAST_TO_SENDER CHANGE_RETENTION_DAYS OPERATOR_TOKEN METRICS_TOKEN CONFIG_DIR',
    ].flatMap((line) => line.split(' '))) {
      expect(output).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });
});

describe('settings', () => {
  const insert = (n: number, data: object = {}) => ({
    operation: 'insert',
    collection: 'a',
    documentId: `d${n}`,
    data,
  });

  it('of the file hold, and the environment wins over it', async () => {
    const file = { sync: { maxBatchSize: 3, changeRetentionDays: 7 }, server: { corsOrigins: ['https://a.example'] } };
    await using server = await startServer({ file });
    const alice = await server.connect({ userId: 'alice' });
    expect((await alice.join()).limits.maxBatchSize).toBe(3);
    const four = await alice.call('sync:changeBatch', { changes: [0, 1, 2, 3].map((n) => insert(n)) });
    expect(four).toMatchObject({ success: false, code: 'too_large' });
    const origin = { origin: 'https://a.example' };
    expect((await server.get('/health', origin)).headers.get('access-control-allow-origin')).toBe('https://a.example');
    await using other = await startServer({ file, env: { MAX_BATCH_SIZE: '4', ALLOWED_ORIGINS: '*' } });
    const bob = await other.connect({ userId: 'bob' });
    expect((await bob.join()).limits.maxBatchSize).toBe(4);
    expect((await other.get('/health', origin)).headers.get('access-control-allow-origin')).toBe('*');
  });

  it('MAX_MESSAGE_SIZE is the limit of a message up', async () => {
    await using server = await startServer({ env: { MAX_MESSAGE_SIZE: '2000' } });
    const alice = await server.connect({ userId: 'alice' });
    expect((await alice.join()).limits.maxMessageBytes).toBe(2_000);
    expect(await alice.call('sync:change', insert(1, { a: 'x'.repeat(1_000) }))).toMatchObject({ success: true });
    expect(await alice.call('sync:change', insert(2, { a: 'x'.repeat(2_500) }))).toMatchObject({ code: 'too_large' });
    alice.socket.emit('sync:change', insert(3, { a: 'x'.repeat(5_000) }));
    await alice.disconnected();
  });

  it('MAX_CLOCK_SKEW_MS clamps times that are ahead', async () => {
    await using server = await startServer({ env: { MAX_CLOCK_SKEW_MS: '0' } });
    const alice = await server.user('alice');
    await alice.write({ ...insert(1), timestamp: Date.now() + 3_600_000 });
    const { changes } = await alice.call('sync:get_changes', { collection: 'a' });
    expect(changes[0]?.timestamp).toBeLessThanOrEqual(Date.now());
  });

  it('without optimistic locking a version means nothing', async () => {
    await using server = await startServer();
    const alice = await server.user('alice');
    await alice.write(insert(1));
    const stale = { ...insert(1, { n: 2 }), operation: 'update', version: 0 };
    expect(await alice.call('sync:change', stale)).toMatchObject({ success: true, outcome: 'applied' });
  });

  it.each(['1', '2', '5'])('LANES=%s: order of a document, resuming and pages hold', async (LANES) => {
    await using server = await startServer({ env: { LANES } });
    const reader = await server.user('reader');
    const writer = await server.user('writer');
    await reader.subscribe('a');
    const write = (n: number) =>
      writer.write({ operation: 'update', collection: 'a', documentId: `d${n % 10}`, data: { n } });
    for (let n = 0; n < 30; n++) await write(n);
    const checkpoint = await reader.mark();
    reader.close();
    for (let n = 30; n < 60; n++) await write(n);
    const next = await server.connect({ userId: 'reader', view: reader.view });
    await next.join({ protocol: 1, subscriptions: [{ collection: 'a' }], checkpoint });
    await next.mark();
    expect(next.deliveries()).toHaveLength(30);
    expect(next.view.documents('a').map(({ n }) => n)).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59]);
    const batch = Array.from({ length: 10 }, (_, n) => ({ ...insert(n, { atomic: true }), id: `atomic${n}` }));
    expect(await writer.call('sync:changeBatch', { changes: batch, atomic: true })).toMatchObject({ successCount: 10 });
    await next.mark();
    expect(next.view.documents('a').every((document) => document.atomic === true)).toBe(true);
  });

  it('production closes what has no rule', async () => {
    await using server = await startServer({ env: { NODE_ENV: 'production', AUTH_JWT_SECRET: secret } });
    const alice = await server.connect({ token: mintToken({ sub: 'alice' }) });
    await alice.join({ protocol: 1 });
    expect(await alice.call('sync:change', insert(1))).toMatchObject({ success: false, code: 'forbidden' });
    await alice.call('sync:subscribe', { collection: 'a', id: 's' });
    expect((await alice.bootstrapped('s')).data).toEqual([]);
  });
});

describe('data', () => {
  it('survives a restart, and what was sent before is known after it', async () => {
    await using server = await startServer();
    const alice = await server.user('alice');
    const change = { id: 'c1', operation: 'insert', collection: 'a', documentId: 'd', data: { n: 1 } };
    await alice.write(change);
    const { historyId } = await alice.join({ protocol: 1 });
    alice.close();
    await server.stop();
    await server.start();
    const again = await server.connect({ userId: 'alice' });
    expect((await again.join({ protocol: 1 })).historyId).toBe(historyId);
    expect(await again.call('sync:change', change)).toMatchObject({ success: true, outcome: 'duplicate' });
    expect((await again.call('sync:get_changes', { collection: 'a' })).changes).toMatchObject([{ data: { n: 1 } }]);
  });

  it('a settings file that is no JSON stops the start', async () => {
    await writeFile(join(folder, 'config', 'test.json'), '{');
    const { code, errors } = await runServerToEnd({ ...base(), NODE_ENV: 'test' });
    expect([code, errors]).toEqual([1, expect.stringContaining('test.json')]);
  });
});
