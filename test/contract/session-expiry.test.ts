import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { startServer, type TestServer } from '../rig/server.ts';
import { mintToken, secret } from '../rig/tokens.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

let server: TestServer;
const rules = `
collections:
  tasks: { read: team == $user.team, insert: true, update: true, delete: true }
`;

beforeAll(async () => {
  const env = { NODE_ENV: 'production', AUTH_JWT_SECRET: secret, RATE_LIMIT_DISABLED: '1', BOOTSTRAP_PAGE: '20' };
  server = await startServer({ rules, env });
});
afterAll(() => server[Symbol.asyncDispose]());

const member = (team: string, livesFor: number) => mintToken({ sub: 'alice', team }, { livesFor });

async function joined(token: string) {
  const client = await server.connect({ token });
  await client.join({ protocol: 1 });
  return client;
}

it('a session ends with its token: told why, closed, and nothing is delivered afterwards', async () => {
  const client = await joined(member('red', 2));
  await client.subscribe('tasks');
  const error = await client.next('sync:error', ({ code }) => code === 'token_expired');
  expect(error.error).toEqual(expect.any(String));
  await client.disconnected();
});

it('it is warned 60 seconds before, once', async () => {
  const soon = await joined(member('red', 50));
  const later = await joined(member('red', 3_600));
  expect(await soon.next('sync:error')).toMatchObject({ code: 'token_expiring', error: expect.any(String) });
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  expect(soon.payloads('sync:error')).toHaveLength(1);
  expect(later.payloads('sync:error')).toEqual([]);
});

it('sync:auth refreshes it, and it lives on', async () => {
  const client = await joined(member('red', 2));
  const expiresAt = (Math.floor(Date.now() / 1_000) + 600) * 1_000;
  const answer = await client.call('sync:auth', { token: member('red', 600) });
  expect(answer.success).toBe(true);
  expect(Math.abs((answer.expiresAt ?? 0) - expiresAt)).toBeLessThanOrEqual(1_000);
  await new Promise((resolve) => setTimeout(resolve, 3_200));
  expect(client.socket.connected).toBe(true);
  expect(await client.call('sync:mark')).toMatchObject({ success: true });
  // A later join speaks of the same session; the token of the handshake does not end it.
  await client.join({ protocol: 1 });
  expect(await client.call('sync:mark')).toMatchObject({ success: true });
});

it('sync:auth with a token of another user, an expired or a bad one is refused; the session stays', async () => {
  const client = await joined(member('red', 600));
  const auth = (token: unknown) => client.call('sync:auth', { token });
  expect(await auth(mintToken({ sub: 'mallory' }))).toMatchObject({ success: false, code: 'forbidden' });
  expect(await auth(member('red', -5))).toMatchObject({ success: false, code: 'token_expired' });
  expect(await auth('garbage')).toMatchObject({ success: false, code: 'unauthenticated' });
  expect(await client.call('sync:auth', {})).toMatchObject({ success: false, code: 'invalid_message' });
  expect(await client.call('sync:mark')).toMatchObject({ success: true });
});

it('a refresh with other claims changes what is seen, also during the first load', async () => {
  const writer = await joined(mintToken({ sub: 'writer', team: 'none' }));
  const teams = ['red', 'blue'];
  for (let n = 0; n < 200; n += 100) {
    const changes = Array.from({ length: 100 }, (_, index) => ({
      operation: 'insert',
      collection: 'tasks',
      documentId: `d${n + index}`,
      data: { team: teams[index % 2] },
    }));
    expect(await writer.call('sync:changeBatch', { changes })).toMatchObject({ successCount: 100 });
  }
  const client = await joined(member('red', 600));
  const subscribed = client.call('sync:subscribe', { collection: 'tasks', id: 's' });
  const refreshed = client.call('sync:auth', { token: member('blue', 600) });
  await Promise.all([subscribed, refreshed]);
  await client.mark();
  await writer.write({ collection: 'tasks', documentId: 'new-red', data: { team: 'red' } });
  await writer.write({ collection: 'tasks', documentId: 'new-blue', data: { team: 'blue' } });
  await client.mark();
  expect(new Set(client.view.documents('tasks').map((document) => document.team))).toEqual(new Set(['blue']));
  expect(client.view.ids('tasks')).toHaveLength(101);
  expect(client.deliveries().filter((change) => change.data?.team === 'red')).toEqual([]);
});
