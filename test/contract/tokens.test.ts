import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { refusalOf } from '../rig/refusal-of.ts';
import { startServer, type TestServer } from '../rig/server.ts';
import { mintToken, secret } from '../rig/tokens.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

/** Tokens that must be refused wherever they stand. */
const badTokens: Readonly<Record<string, string>> = {
  garbage: 'garbage',
  'three parts of garbage': 'a.b.c',
  'signed with another key': mintToken({ sub: 'alice' }, { key: 'another key that has more than 32 bytes too' }),
  'signed with none': mintToken({ sub: 'alice' }, { header: { alg: 'none' } }),
  'unsigned with none': `${mintToken({ sub: 'alice' }, { header: { alg: 'none' } })
    .split('.')
    .slice(0, 2)
    .join('.')}.`,
  'signed with another algorithm': mintToken({ sub: 'alice' }, { header: { alg: 'HS512' } }),
  'without a user': mintToken({ name: 'alice' }),
  'with an empty user': mintToken({ sub: '' }),
  'with a user that is no text': mintToken({ sub: { $ne: null } }),
  'not valid yet': mintToken({ sub: 'alice', nbf: Math.floor(Date.now() / 1_000) + 3_600 }),
  'with a claim changed': tampered(),
};

function tampered(): string {
  const [head, , signature] = mintToken({ sub: 'mallory' }).split('.');
  const body = Buffer.from(JSON.stringify({ sub: 'alice' })).toString('base64url');
  return `${head}.${body}.${signature}`;
}

describe.each(['development', 'production'])('with a key, in %s', (NODE_ENV) => {
  let server: TestServer;
  const token = mintToken({ sub: 'alice' });
  const env = {
    NODE_ENV,
    AUTH_JWT_SECRET: secret,
    MAX_CONNECTIONS_PER_USER: '1000',
    MAX_CONNECTIONS_PER_IP: '1000',
    RATE_LIMIT_DISABLED: 'true',
  };
  beforeAll(async () => {
    server = await startServer({ env });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each([
    ['auth.token', { auth: { token } }],
    ['auth.token with Bearer in front', { auth: { token: `Bearer ${token}` } }],
    ['the header Authorization', { headers: { Authorization: `Bearer ${token}` } }],
    ['the query', { query: { token } }],
    ['the query with Bearer in front', { query: { token: `Bearer ${token}` } }],
  ])('a token in %s says who it is', async (_where, options) => {
    for (const transport of ['websocket', 'polling'] as const) {
      const client = await server.connect({ ...options, transport });
      expect(await client.join({ protocol: 1 })).toMatchObject({ success: true, userId: 'alice' });
      client.close();
    }
  });

  it.each([token, `Bearer ${token}`])('a token in sync:join says who it is', async (given) => {
    const client = await server.connect();
    expect(await client.call('sync:join', { token: given })).toMatchObject({ success: true, userId: 'alice' });
  });

  it('the first of these places decides', async () => {
    const [first, second, third, fourth] = ['first', 'second', 'third', 'fourth'].map((sub) => mintToken({ sub }));
    const join = async (options: Parameters<TestServer['connect']>[0]) => {
      const client = await server.connect(options);
      const { userId } = await client.join({ token: fourth, userId: 'stated' });
      client.close();
      return userId;
    };
    const headers = { Authorization: `Bearer ${second}` };
    expect(await join({ auth: { token: first }, headers, query: { token: third! } })).toBe('first');
    expect(await join({ headers, query: { token: third! } })).toBe('second');
    expect(await join({ query: { token: third! } })).toBe('third');
    expect(await join({})).toBe('fourth');
  });

  it('an empty token is none', async () => {
    const client = await server.connect({ auth: { token: '' }, headers: { Authorization: `Bearer ${token}` } });
    expect(await client.join()).toMatchObject({ userId: 'alice' });
  });

  it.each([
    [{ sub: 'a', userId: 'b', uid: 'c' }, 'a'],
    [{ userId: 'b', uid: 'c' }, 'b'],
    [{ uid: 'c' }, 'c'],
  ])('the user of %j is %s', async (claims, userId) => {
    const client = await server.connect({ token: mintToken(claims) });
    expect(await client.join({ userId: 'somebody else' })).toMatchObject({ userId });
  });

  it('with a token in the handshake a client may begin without joining', async () => {
    const client = await server.connect({ token });
    const change = { operation: 'insert', collection: 'unjoined', documentId: 'a', data: { n: 1 } };
    // Without rules a collection is closed in production: that is said only to somebody who is known.
    const expected = NODE_ENV === 'development' ? { outcome: 'applied' } : { code: 'forbidden' };
    expect(await client.call('sync:change', change)).toMatchObject(expected);
  });

  it.each(Object.entries(badTokens))('a token that is %s is refused everywhere', async (_what, bad) => {
    for (const options of [
      { auth: { token: bad } },
      { headers: { Authorization: `Bearer ${bad}` } },
      { query: { token: bad } },
    ]) {
      expect(await refusalOf(server.connect(options))).toMatchObject({
        code: 'unauthenticated',
        error: expect.any(String),
      });
    }
    const client = await server.connect();
    const join = await client.call('sync:join', { token: bad, userId: 'alice' });
    expect(join).toMatchObject({ success: false, code: 'unauthenticated' });
    expect(await client.call('sync:mark')).toMatchObject({ success: false, code: 'unauthenticated' });
    const known = await server.connect({ token });
    await known.join({ protocol: 1 });
    expect(await known.call('sync:auth', { token: bad })).toMatchObject({ success: false, code: 'unauthenticated' });
    const rest = await server.post('/api/sync/change', {}, { authorization: `Bearer ${bad}` });
    expect(rest).toMatchObject({ status: 401, body: { success: false, code: 'unauthenticated' } });
  });

  it('a bad token in the join is refused also where the handshake had a good one', async () => {
    const client = await server.connect({ token });
    const answer = await client.call('sync:join', { token: 'garbage' });
    expect(answer).toMatchObject({ success: false, code: 'unauthenticated' });
  });

  it('an expired token is token_expired', async () => {
    const expired = mintToken({ sub: 'alice' }, { livesFor: -10 });
    expect(await refusalOf(server.connect({ token: expired }))).toMatchObject({ code: 'token_expired' });
    const client = await server.connect();
    expect(await client.call('sync:join', { token: expired })).toMatchObject({ success: false, code: 'token_expired' });
  });

  it(`without a token a stated user is ${NODE_ENV === 'development' ? 'taken' : 'refused'}`, async () => {
    const client = await server.connect({ query: { userId: 'alice', development: 'true' } });
    const answer = await client.call('sync:join', { userId: 'alice' });
    if (NODE_ENV === 'development') expect(answer).toMatchObject({ success: true, userId: 'alice' });
    else expect(answer).toMatchObject({ success: false, code: 'unauthenticated' });
  });
});

describe('audience and issuer', () => {
  it('must be those of the settings', async () => {
    await using server = await startServer({
      env: { AUTH_JWT_SECRET: secret, AUTH_ISSUER: 'https://issuer', AUTH_AUDIENCE: 'tidemark' },
    });
    const right = { sub: 'alice', iss: 'https://issuer', aud: 'tidemark' };
    const client = await server.connect();
    for (const wrong of [{ iss: 'other' }, { aud: 'other' }, { iss: undefined }, { aud: undefined }]) {
      const answer = await client.call('sync:join', { token: mintToken({ ...right, ...wrong }) });
      expect(answer).toMatchObject({ success: false, code: 'unauthenticated' });
    }
    expect(await client.call('sync:join', { token: mintToken({ ...right, aud: ['a', 'tidemark'] }) })).toMatchObject({
      success: true,
    });
  });
});

describe('in development without a key', () => {
  it('tokens are ignored, with one warning', async () => {
    await using server = await startServer();
    const token = mintToken({ sub: 'somebody' });
    for (const given of [token, 'garbage']) {
      const client = await server.connect({ token: given });
      expect(await client.call('sync:join', { userId: 'alice', token: given })).toMatchObject({
        success: true,
        userId: 'alice',
      });
    }
    const warnings = server.log.filter(({ level, msg }) => level === 'warn' && /token/.test(String(msg)));
    // A fleet has several processes that say it, each once.
    expect(warnings.length).toBeGreaterThan(0);
    expect(new Set(warnings.map(({ pid }) => pid)).size).toBe(warnings.length);
  });
});
