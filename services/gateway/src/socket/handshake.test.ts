import { describe, expect, it } from '@jest/globals';
import { limits, SyncError } from '@tidemark/protocol';
import { silentTelemetry } from '@tidemark/telemetry';
import { clientAddress, type HandshakeFacts, handshakeToken, TokenReader } from './handshake.ts';

const facts = (spec: Partial<HandshakeFacts> = {}): HandshakeFacts => ({
  auth: {},
  headers: {},
  query: {},
  address: '10.0.0.1',
  ...spec,
});

describe('the token of a handshake', () => {
  const auth = { token: 'from-auth' };
  const headers = { authorization: 'Bearer from-header' };
  const query = { token: 'from-query' };

  it.each<[Partial<HandshakeFacts>, string | undefined]>([
    [{ auth, headers, query }, 'from-auth'],
    [{ headers, query }, 'Bearer from-header'],
    [{ query }, 'from-query'],
    [{}, undefined],
    [{ auth: { token: '' }, headers }, 'Bearer from-header'],
    [{ auth: { token: null }, query }, 'from-query'],
    [{ headers: { authorization: 'Basic abc' }, query }, 'from-query'],
    [{ headers: { authorization: 'bearer x' } }, 'bearer x'],
  ])('of %j is %j', (spec, token) => {
    expect(handshakeToken(facts(spec))).toBe(token);
  });

  it.each([7, {}, ['a', 'b'], true, 'x'.repeat(limits.token + 1)])('cannot be %j', (token) => {
    expect(() => handshakeToken(facts({ auth: { token } }))).toThrow(SyncError);
    expect(() => handshakeToken(facts({ query: { token } }))).toThrow(SyncError);
  });
});

describe('reading tokens', () => {
  const identity = { userId: 'ann' } as never;
  const reader = (configured: boolean, development: boolean) => {
    const warnings: string[] = [];
    const telemetry = silentTelemetry();
    const logger = { ...telemetry.logger, warn: (text: string) => warnings.push(text) } as never;
    const authenticator = { configured, verify: async () => identity };
    return { tokens: new TokenReader({ authenticator, development, telemetry: { ...telemetry, logger } }), warnings };
  };

  it('verifies where there is a key, and in production in any case', async () => {
    for (const [configured, development] of [
      [true, true],
      [true, false],
      [false, false],
    ] as const)
      expect(await reader(configured, development).tokens.identify('t')).toBe(identity);
  });

  it('knows nobody without a token', async () => {
    expect(await reader(true, false).tokens.identify(undefined)).toBeUndefined();
  });

  it('ignores tokens where development has no key, with one warning', async () => {
    const { tokens, warnings } = reader(false, true);
    expect([await tokens.identify('t'), await tokens.identify('t')]).toEqual([undefined, undefined]);
    expect(warnings).toHaveLength(1);
  });
});

describe('the address of a client', () => {
  const headers = { 'x-forwarded-for': '1.1.1.1, 2.2.2.2 , 3.3.3.3' };

  it.each([
    [0, '10.0.0.1'],
    [1, '3.3.3.3'],
    [2, '2.2.2.2'],
    [3, '1.1.1.1'],
    [9, '1.1.1.1'],
  ])('behind %d proxies is %s', (proxies, address) => {
    expect(clientAddress(facts({ headers }), proxies)).toBe(address);
  });

  it('is the peer without the header', () => {
    expect(clientAddress(facts(), 2)).toBe('10.0.0.1');
    expect(clientAddress(facts({ headers: { 'x-forwarded-for': '' } }), 1)).toBe('10.0.0.1');
  });
});
