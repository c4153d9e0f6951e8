import type { Authenticator, Identity } from '@tidemark/access';
import { limits, SyncError } from '@tidemark/protocol';
import type { Telemetry } from '@tidemark/telemetry';

/** The part of a Socket.IO handshake that is looked at. */
export interface HandshakeFacts {
  readonly auth: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly address: string;
}

/** The token of a handshake: `auth.token`, then `Authorization: Bearer`, then `?token`. Throws `unauthenticated` when it is no text. */
export function handshakeToken(handshake: HandshakeFacts): string | undefined {
  const { authorization } = handshake.headers;
  const bearer = typeof authorization === 'string' && /^bearer /i.test(authorization) ? authorization : undefined;
  const places = [handshake.auth.token, bearer, handshake.query.token];
  const token = places.find((value) => value !== undefined && value !== null && value !== '');
  if (token === undefined) return undefined;
  if (typeof token !== 'string' || token.length > limits.token)
    throw new SyncError('unauthenticated', 'the token is malformed');
  return token;
}

export interface IdentifyDeps {
  readonly authenticator: Authenticator;
  readonly telemetry: Telemetry;
  readonly development: boolean;
}

/** Reads tokens of handshakes and requests. Where development has no key, tokens are ignored, with one warning. */
export class TokenReader {
  private readonly deps: IdentifyDeps;
  private warned = false;

  constructor(deps: IdentifyDeps) {
    this.deps = deps;
  }

  /** Undefined without a token. Throws SyncError `unauthenticated` or `token_expired`. */
  async identify(token: string | undefined): Promise<Identity | undefined> {
    const { authenticator, development } = this.deps;
    if (token === undefined) return undefined;
    if (authenticator.configured || !development) return authenticator.verify(token);
    if (!this.warned) this.deps.telemetry.logger.warn('tokens are ignored: no key is configured (AUTH_JWT_SECRET)');
    this.warned = true;
    return undefined;
  }
}

/** The client's address: the peer's, or what the outermost of `proxies` trusted proxies saw. */
export function clientAddress(handshake: Pick<HandshakeFacts, 'headers' | 'address'>, proxies: number): string {
  const forwarded = handshake.headers['x-forwarded-for'];
  if (proxies === 0 || typeof forwarded !== 'string') return handshake.address;
  const seen = forwarded.split(',').map((address) => address.trim());
  return seen.at(-proxies) || seen[0] || handshake.address;
}
