import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isInProcess, startServer, type TestServer } from '../rig/server.ts';
import { mintToken, secret } from '../rig/tokens.ts';
import { waitUntil } from '../rig/wait-until.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

let open: TestServer;
let closed: TestServer;
const token = mintToken({ sub: 'alice' });
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
let made = 0;
const newId = () => `d${++made}`;

const rules = `
collections:
  tasks: { read: owner == $user.sub, insert: owner == $user.sub, update: owner == $user.sub, delete: owner == $user.sub }
`;

beforeAll(async () => {
  open = await startServer();
  closed = await startServer({
    rules,
    env: {
      NODE_ENV: 'production',
      AUTH_JWT_SECRET: secret,
      OPERATOR_TOKEN: 'operators-only',
      METRICS_TOKEN: 'scrapers-only',
      SYNC_RATE_LIMIT_MAX: '20',
      SYNC_RATE_LIMIT_WINDOW_MS: '60000',
    },
  });
});
afterAll(async () => {
  await closed[Symbol.asyncDispose]();
  await open[Symbol.asyncDispose]();
});

describe('GET /health', () => {
  it('tells that the process lives, in production too, without a token', async () => {
    for (const server of [open, closed]) {
      expect(await server.get('/health')).toMatchObject({
        status: 200,
        body: {
          status: 'healthy',
          timestamp: expect.any(Number),
          activeConnections: expect.any(Number),
          version: expect.any(String),
        },
      });
    }
  });

  it('counts connections', async () => {
    const before = (await open.get('/health')).body.activeConnections as number;
    const client = await open.user('counted');
    expect((await open.get('/health')).body.activeConnections).toBe(before + 1);
    client.close();
    await waitUntil(async () => (await open.get('/health')).body.activeConnections === before);
  });
});

describe('GET /ready', () => {
  it('is 200 ready', async () => {
    for (const server of [open, closed]) {
      expect(await server.get('/ready')).toMatchObject({ status: 200, body: { status: 'ready' } });
    }
  });

  // Of a fleet: with an outage that is real, in the tests of the fleet.
  const inProcess = isInProcess ? it : it.skip;
  inProcess('is 503 with the parts that are not, follows an outage within seconds, and back', async () => {
    let away = false;
    await using server = await startServer({
      mayLogErrors: true,
      wrap: {
        store: (store) =>
          new Proxy(store, {
            get(target, name) {
              if (name === 'check') return () => (away ? Promise.reject(new Error('away')) : store.check());
              const value = Reflect.get(target, name);
              return typeof value === 'function' ? value.bind(target) : value;
            },
          }),
      },
    });
    expect((await server.get('/ready')).status).toBe(200);
    away = true;
    const answer = await waitUntil(async () => {
      const ready = await server.get('/ready');
      return ready.status === 503 && ready;
    });
    expect(answer.text).toContain('store');
    expect(answer.body.status).not.toBe('ready');
    expect((await server.get('/health')).status).toBe(200);
    away = false;
    await waitUntil(async () => (await server.get('/ready')).status === 200);
  });
});

describe('GET /stats', () => {
  it('tells counts, users and lanes', async () => {
    const client = await open.user('stats-user');
    const before = (await open.get('/stats')).body.totalChanges as number;
    await client.write({ collection: 'stats', documentId: 'a', data: {} });
    const { status, body } = await open.get('/stats');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      totalChanges: before + 1,
      syncedChanges: before + 1,
      pendingChanges: 0,
      activeConnections: expect.any(Number),
      lanes: expect.any(Array),
    });
    expect(body.activeUsers).toContain('stats-user');
    client.close();
  });

  it('needs an operator in production', async () => {
    expect((await closed.get('/stats')).status).toBe(401);
    expect((await closed.get('/stats', bearer('wrong'))).status).toBe(401);
    expect((await closed.get('/stats', bearer(token))).status).toBe(403);
    expect((await closed.get('/stats', bearer(mintToken({ sub: 'x', operator: 'true' })))).status).toBe(403);
    expect((await closed.get('/stats', bearer('operators-only'))).status).toBe(200);
    expect((await closed.get('/stats', bearer(mintToken({ sub: 'x', operator: true })))).status).toBe(200);
    expect((await closed.get('/stats?token=operators-only')).status).toBe(401);
  });
});

describe('GET /metrics', () => {
  it('is Prometheus text, open unless METRICS_TOKEN is set', async () => {
    const { status, text, headers } = await open.get('/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/text\/plain/);
    expect(text).toMatch(/^# (HELP|TYPE) /m);
    expect((await closed.get('/metrics')).status).toBe(401);
    expect((await closed.get('/metrics', bearer('wrong'))).status).toBe(401);
    expect((await closed.get('/metrics', bearer('scrapers-only'))).status).toBe(200);
  });
});

describe('GET /api/negotiate', () => {
  it('tells where to connect', async () => {
    const { status, body } = await open.get('/api/negotiate?userId=alice');
    expect(status).toBe(200);
    expect(String(body.url)).toBe(open.url);
    expect(Object.keys(body).sort()).toEqual(['expiresAt', 'token', 'url']);
  });

  it('is for the authenticated user', async () => {
    const { status, body } = await closed.get('/api/negotiate?userId=mallory', bearer(token));
    expect(status).toBe(200);
    expect(body).toEqual({ url: closed.url, token, expiresAt: expect.any(Number) });
    const client = await closed.connect({ token: body.token as string });
    expect(await client.join()).toMatchObject({ userId: 'alice' });
    client.close();
  });

  it('400 without identity, 401 without a valid token in production', async () => {
    expect(await open.get('/api/negotiate')).toMatchObject({ status: 400, body: { success: false } });
    expect(await open.get('/api/negotiate?userId=')).toMatchObject({ status: 400 });
    expect(await closed.get('/api/negotiate?userId=alice')).toMatchObject({ status: 401 });
    expect(await closed.get('/api/negotiate?userId=alice', bearer('garbage'))).toMatchObject({ status: 401 });
    const expired = mintToken({ sub: 'alice' }, { livesFor: -5 });
    expect(await closed.get('/api/negotiate', bearer(expired))).toMatchObject({
      status: 401,
      body: { code: 'token_expired' },
    });
  });
});

describe('POST /api/sync/change', () => {
  const path = '/api/sync/change';
  const change = (documentId: string, more: object = {}) => ({
    operation: 'insert',
    collection: 'tasks',
    documentId,
    data: { n: 1 },
    ...more,
  });

  it('200 with the ack, and subscribers get it', async () => {
    const reader = await open.user('reader');
    await reader.subscribe('tasks');
    const id = newId();
    const { status, body } = await open.post(path, change(id, { id: `c-${id}` }));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      success: true,
      changeId: `c-${id}`,
      timestamp: expect.any(Number),
      outcome: 'applied',
      latency: expect.any(Number),
    });
    await reader.mark();
    expect(reader.deliveries()).toMatchObject([{ id: `c-${id}`, operation: 'insert', documentId: id }]);
    reader.close();
  });

  it('the same again is a duplicate', async () => {
    const id = newId();
    await open.post(path, change(id, { id: `c-${id}` }));
    const again = await open.post(path, change(id, { id: `c-${id}` }));
    expect(again).toMatchObject({ status: 200, body: { success: true, outcome: 'duplicate' } });
  });

  it('in development without a token the author is what the request states, in this order', async () => {
    const authorOf = async (query: string, headers: Record<string, string>, body: object) => {
      const id = newId();
      expect((await open.post(`${path}${query}`, change(id, body), headers)).status).toBe(200);
      const reader = await open.user('reader');
      const { changes } = await reader.call('sync:get_changes', { collection: 'tasks', filter: `_id == '${id}'` });
      reader.close();
      return changes[0]?.userId;
    };
    const header = { 'x-user-id': 'header' };
    expect(await authorOf('?userId=query', header, { userId: 'body' })).toBe('query');
    expect(await authorOf('', header, { userId: 'body' })).toBe('header');
    expect(await authorOf('', {}, { userId: 'body' })).toBe('body');
    expect(await authorOf('', {}, {})).toBe('anonymous');
  });

  it('in production a token is needed, and decides', async () => {
    const stated = change(newId(), { userId: 'alice' });
    expect(await closed.post(`${path}?userId=alice`, stated, { 'x-user-id': 'alice' })).toMatchObject({ status: 401 });
    const mine = change(newId(), { data: { owner: 'alice' }, userId: 'mallory' });
    expect(await closed.post(path, mine, bearer(token))).toMatchObject({ status: 200, body: { outcome: 'applied' } });
    const theirs = change(newId(), { data: { owner: 'mallory' } });
    expect(await closed.post(path, theirs, bearer(token))).toMatchObject({
      status: 403,
      body: { success: false, code: 'forbidden', outcome: 'rejected' },
    });
  });

  it.each([
    ['no place', { operation: 'insert', data: {} }, /^Missing collection or documentId/],
    ['an operator', { operation: 'insert', collection: 'tasks', documentId: 'x', data: { $a: 1 } }, /\$/],
    ['another operation', { operation: 'replace', collection: 'tasks', documentId: 'x', data: {} }, /operation/],
    ['an operator as id', { operation: 'insert', collection: 'tasks', documentId: { $ne: 1 }, data: {} }, /./],
    ['a list', [1, 2], /./],
    ['nothing at all', '', /./],
    ['broken JSON', '{"a":', /./],
    ['a text', '"text"', /./],
    ['null', 'null', /./],
  ])('400 for %s', async (_what, body, words) => {
    const answer = await open.post(path, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ success: false, code: expect.stringMatching(/^invalid_/) });
    expect(answer.body.error).toMatch(words);
  });

  it('403 for a closed name', async () => {
    const body = { operation: 'insert', collection: 'system.users', documentId: 'x', data: {} };
    expect(await open.post(path, body)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it('409 with the stored document for a change that lost', async () => {
    const id = newId();
    await open.post(path, change(id, { timestamp: 5_000, userId: 'alice' }));
    const late = await open.post(path, change(id, { timestamp: 1_000, userId: 'bob' }));
    expect(late).toMatchObject({
      status: 409,
      body: { success: false, outcome: 'superseded', code: 'conflict', current: { _id: id, n: 1 } },
    });
    expect(late.body.error).toMatch(/^conflict: /);
  });

  it('409 does not show what the user may not read', async () => {
    const id = newId();
    const mine = change(id, { data: { owner: 'alice', secret: 1 }, timestamp: 5_000 });
    await closed.post(path, mine, bearer(token));
    const other = bearer(mintToken({ sub: 'mallory' }));
    const answer = await closed.post(path, change(id, { data: { owner: 'mallory' }, timestamp: 1_000 }), other);
    expect([403, 409]).toContain(answer.status);
    expect(answer.text).not.toContain('secret');
  });

  it('413 for a body past the limit', async () => {
    const answer = await open.post(path, change(newId(), { data: { a: 'x'.repeat(1_100_000) } }));
    expect(answer).toMatchObject({ status: 413, body: { success: false, code: 'too_large' } });
    expect((await open.post(path, 'x'.repeat(10_000_000))).status).toBe(413);
  });

  it('429 with the time to wait when the user has sent too many', async () => {
    const busy = bearer(mintToken({ sub: 'busy' }));
    const answers = [];
    for (let n = 0; n < 25; n++) {
      answers.push(await closed.post(path, change(newId(), { data: { owner: 'busy' } }), busy));
    }
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(1);
    expect(refused[0]?.body).toMatchObject({ success: false, code: 'rate_limited', retryAfterMs: expect.any(Number) });
    expect(refused[0]?.body.error).toMatch(/^rate_limit_exceeded/);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(20);
  });

  it('emitTo narrows the live delivery to these users', async () => {
    const [alice, bob] = [await open.user('alice'), await open.user('bob')];
    await alice.subscribe('narrow');
    await bob.subscribe('narrow');
    await open.post(path, change('a', { collection: 'narrow', emitTo: ['alice'] }));
    await open.post(path, change('b', { collection: 'narrow' }));
    await Promise.all([alice.mark(), bob.mark()]);
    expect(alice.view.ids('narrow')).toEqual(['a', 'b']);
    expect(bob.view.ids('narrow')).toEqual(['b']);
    for (const emitTo of ['alice', [1], {}]) {
      expect((await open.post(path, change('c', { collection: 'narrow', emitTo }))).status).toBe(400);
    }
    alice.close();
    bob.close();
  });

  it('other methods and paths are answered in JSON', async () => {
    for (const wrong of [
      '/api/sync/change',
      '/nonsense',
      '/api/nonsense',
      '/%',
      '/../etc/passwd',
      '/api/sync/change/x',
    ]) {
      const answer = await open.get(wrong);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.body).toMatchObject({ success: false, code: expect.any(String) });
    }
  });
});

describe('CORS', () => {
  it('is open in development and closed in production, unless ALLOWED_ORIGINS says otherwise', async () => {
    const origin = { origin: 'https://app.example' };
    expect((await open.get('/health', origin)).headers.get('access-control-allow-origin')).toBe('*');
    expect((await closed.get('/health', origin)).headers.get('access-control-allow-origin')).toBeNull();
    await using listed = await startServer({
      env: {
        NODE_ENV: 'production',
        AUTH_JWT_SECRET: secret,
        ALLOWED_ORIGINS: 'https://app.example,https://b.example',
      },
    });
    expect((await listed.get('/health', origin)).headers.get('access-control-allow-origin')).toBe(
      'https://app.example',
    );
    const other = await listed.get('/health', { origin: 'https://evil.example' });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    const polling = await listed.get('/socket.io/?EIO=4&transport=polling', origin);
    expect(polling.headers.get('access-control-allow-origin')).toBe('https://app.example');
  });
});
