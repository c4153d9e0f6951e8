import type { Identity } from '@tidemark/access';
import { brandAs, limits, type Millis, SyncError, type UserId } from '@tidemark/protocol';
import type { Request } from 'express';
import { refusal } from '../doors/door.ts';
import type { GatewaySettings } from '../settings.ts';
import { handshakeToken, type TokenReader } from '../socket/handshake.ts';
import { statedIdentity } from '../socket/session.ts';

export interface RestIdentityDeps {
  readonly tokens: TokenReader;
  readonly settings: GatewaySettings;
  readonly now: () => Millis;
}

/** Who a request speaks for. */
export class RestIdentity {
  private readonly deps: RestIdentityDeps;

  constructor(deps: RestIdentityDeps) {
    this.deps = deps;
  }

  /** By token; in development without one by what the request states. Throws SyncError `unauthenticated` or `token_expired`. */
  async of(request: Request, stated: readonly unknown[]): Promise<Identity> {
    const identity = await this.byToken(request);
    if (identity !== undefined) return identity;
    if (!this.deps.settings.development) throw new SyncError('unauthenticated', 'a token is required');
    const userId = stated.find((value) => value !== undefined && value !== null && value !== '');
    if (userId === undefined) throw new SyncError('invalid_message', 'userId is required');
    if (typeof userId !== 'string' || userId.length > limits.userId)
      throw new SyncError('invalid_message', 'userId must be a text');
    return statedIdentity(brandAs<UserId>(userId));
  }

  byToken(request: Request): Promise<Identity | undefined> {
    return this.deps.tokens.identify(
      handshakeToken({ auth: {}, headers: request.headers, query: request.query, address: '' }),
    );
  }

  /** `GET /api/negotiate`: without Web PubSub, where to connect. */
  async negotiate(request: Request): Promise<{ status: number; body: unknown }> {
    try {
      const identity = await this.of(request, [request.query.userId]);
      const token = handshakeToken({ auth: {}, headers: request.headers, query: request.query, address: '' });
      return {
        status: 200,
        body: {
          url: ownUrl(request),
          token: token?.replace(/^bearer /i, '') ?? null,
          expiresAt: identity.expiresAt ?? null,
        },
      };
    } catch (error) {
      if (!SyncError.is(error)) throw error;
      return { status: error.code === 'invalid_message' ? 400 : 401, body: refusal(error) };
    }
  }
}

function ownUrl(request: Request): string {
  return `${request.protocol}://${request.headers.host ?? 'localhost'}`;
}
