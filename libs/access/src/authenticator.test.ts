import { createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SyncError } from '@tidemark/protocol';
import { SignJWT } from 'jose';
import { createAuthenticator } from './authenticator.ts';

const secret = 'a secret that is long enough for HS256 to make sense';
const start = Date.parse('2026-11-24T10:00:00Z');
const seconds = start / 1000;

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs by hand, so that what no library would write can be written. */
function sign(payload: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }, key = secret): string {
  const body = `${encode(header)}.${encode(payload)}`;
  return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
}

const authenticator = createAuthenticator({ secret, now: () => start });

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (SyncError.is(error)) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('a good token', () => {
  it('gives the user, all claims and the end of the session', async () => {
    const identity = await authenticator.verify(sign({ sub: 'ann', exp: seconds + 60, teams: ['a', 'b'], n: 1 }));
    expect(identity).toEqual({
      userId: 'ann',
      claims: { sub: 'ann', exp: seconds + 60, teams: ['a', 'b'], n: 1 },
      expiresAt: start + 60_000,
      operator: false,
    });
  });

  it('is understood when a library made it', async () => {
    const token = await new SignJWT({ sub: 'ann' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    expect(await authenticator.verify(token)).toMatchObject({ userId: 'ann', expiresAt: undefined });
  });

  it.each(['Bearer ', 'bearer ', 'BEARER '])('may stand after %j', async (prefix) => {
    expect((await authenticator.verify(prefix + sign({ sub: 'ann' }))).userId).toBe('ann');
  });

  it.each([
    [{ sub: 'a', userId: 'b', uid: 'c' }, 'a'],
    [{ userId: 'b', uid: 'c' }, 'b'],
    [{ uid: 'c' }, 'c'],
  ])('%j is user %s', async (claims, userId) => {
    expect((await authenticator.verify(sign(claims))).userId).toBe(userId);
  });

  it('is an operator only with the boolean true', async () => {
    const operatorOf = async (operator: unknown) => (await authenticator.verify(sign({ sub: 'a', operator }))).operator;
    expect(await operatorOf(true)).toBe(true);
    for (const value of ['true', 1, {}, [true], null, false]) expect(await operatorOf(value)).toBe(false);
  });
});

describe('the times of a token', () => {
  const verifyAt = (claims: object, time: number) =>
    codeOf(createAuthenticator({ secret, now: () => time }).verify(sign({ sub: 'ann', ...claims })));

  it.each([
    ['a millisecond before exp', { exp: seconds }, start - 1, 'accepted'],
    ['at exp', { exp: seconds }, start, 'token_expired'],
    ['a second after exp', { exp: seconds }, start + 1000, 'token_expired'],
    ['a day after exp', { exp: seconds }, start + 86_400_000, 'token_expired'],
    ['nbf within the tolerance', { nbf: seconds + 5 }, start, 'accepted'],
    ['nbf beyond the tolerance', { nbf: seconds + 7 }, start, 'unauthenticated'],
    ['exp that is no number', { exp: 'tomorrow' }, start, 'unauthenticated'],
    ['nbf that is no number', { nbf: '0' }, start, 'unauthenticated'],
  ])('%s', async (_, claims, time, expected) => {
    expect(await verifyAt(claims, time)).toBe(expected);
  });

  it('an exp beyond all dates ends the session at a number that JSON can hold', async () => {
    const identity = await authenticator.verify(sign('{"sub":"ann","exp":1e300}'));
    expect(identity.expiresAt).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('a token that is refused', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const cases: [string, () => string | Promise<string>][] = [
    ['of no text', () => ''],
    ['of garbage', () => 'garbage'],
    ['of three garbage parts', () => 'a.b.c'],
    ['with alg none and no signature', () => `${encode({ alg: 'none' })}.${encode({ sub: 'ann' })}.`],
    ['with alg none and a signature', () => sign({ sub: 'ann' }, { alg: 'none' })],
    ['with no alg', () => sign({ sub: 'ann' }, {})],
    ['with HS512 in the header', () => sign({ sub: 'ann' }, { alg: 'HS512' })],
    ['signed with RS256', () => new SignJWT({ sub: 'ann' }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)],
    ['signed with another key', () => sign({ sub: 'ann' }, { alg: 'HS256' }, 'another')],
    ['with an unknown critical header', () => sign({ sub: 'ann' }, { alg: 'HS256', crit: ['x'], x: 1 })],
    ['whose payload was changed', () => sign({ sub: 'ann' }).replace(/\.[^.]+\./, `.${encode({ sub: 'bob' })}.`)],
    ['whose payload is a list', () => sign('[]')],
    ['whose payload is not JSON', () => sign('{')],
    ['of too many characters', () => sign({ sub: 'ann', x: 'x'.repeat(20_000) })],
    ['without a user', () => sign({})],
    ['with a number as user', () => sign({ sub: 7 })],
    ['with an object as user', () => sign({ sub: { $ne: null } })],
    ['with a malformed sub before a good uid', () => sign({ sub: 7, uid: 'ann' })],
    ['with an empty user', () => sign({ sub: '' })],
    ['with a blank user', () => sign({ sub: '  ' })],
    ['with a user of 257 characters', () => sign({ sub: 'x'.repeat(257) })],
    ['with NUL in the user', () => sign({ sub: 'a\u0000b' })],
    ['with half a character in the user', () => sign('{"sub":"\\ud800"}')],
    ['whose user is only in the prototype', () => sign('{"__proto__":{"sub":"ann"}}')],
  ];

  it.each(cases)('%s', async (_, make) => {
    expect(await codeOf(authenticator.verify(await make()))).toBe('unauthenticated');
  });

  it('is any value that is no string', async () => {
    for (const value of [undefined, null, 7, {}, []]) {
      expect(await codeOf(authenticator.verify(value as unknown as string))).toBe('unauthenticated');
    }
  });

  it('says why in a sentence without the key', async () => {
    await expect(authenticator.verify(sign({ sub: 'ann' }, { alg: 'none' }))).rejects.toThrow(/HS256/);
    await expect(authenticator.verify(sign({ sub: 'ann' }, { alg: 'HS256' }, 'x'))).rejects.toThrow(/signature/);
  });
});

describe('issuer and audience', () => {
  const strict = createAuthenticator({ secret, issuer: 'https://id.example', audience: 'sync', now: () => start });

  it.each([
    [{ iss: 'https://id.example', aud: 'sync' }, 'accepted'],
    [{ iss: 'https://id.example', aud: ['other', 'sync'] }, 'accepted'],
    [{ iss: 'https://id.example', aud: 'other' }, 'unauthenticated'],
    [{ iss: 'https://evil.example', aud: 'sync' }, 'unauthenticated'],
    [{ aud: 'sync' }, 'unauthenticated'],
    [{ iss: 'https://id.example' }, 'unauthenticated'],
  ])('%j: %s', async (claims, expected) => {
    expect(await codeOf(strict.verify(sign({ sub: 'ann', ...claims })))).toBe(expected);
  });

  it('are not looked at when not set', async () => {
    expect(await codeOf(authenticator.verify(sign({ sub: 'ann', iss: 'x', aud: 'y' })))).toBe('accepted');
  });
});

describe('without a key', () => {
  it.each([{}, { secret: '' }])('%j refuses every token', async (options) => {
    const unconfigured = createAuthenticator(options);
    expect(unconfigured.configured).toBe(false);
    expect(await codeOf(unconfigured.verify(sign({ sub: 'ann' })))).toBe('unauthenticated');
    expect(await codeOf(unconfigured.verify(sign({ sub: 'ann' }, undefined, '')))).toBe('unauthenticated');
  });

  it('is told by configured', () => {
    expect(authenticator.configured).toBe(true);
  });
});
