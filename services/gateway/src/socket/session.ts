import type { Identity } from '@tidemark/access';
import type { Author, Millis, UserId } from '@tidemark/protocol';

/** Who a socket speaks for, since it has joined. */
export interface Session {
  readonly userId: UserId;
  /** With the claims that rules may look at. */
  readonly author: Author;
  /** Fingerprint of what it may read; undefined where no rules are. */
  readonly rights: string | undefined;
  /** It joined with `protocol`: the modern stream. */
  readonly modern: boolean;
  readonly expiresAt: Millis | undefined;
  readonly operator: boolean;
}

/** A user that a development client states without a token. */
export function statedIdentity(userId: UserId): Identity {
  return { userId, claims: {}, expiresAt: undefined, operator: false };
}
