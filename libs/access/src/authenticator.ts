import { brandAs, type Json, limits, type Millis, SyncError, type UserId } from '@tidemark/protocol';
import { errors, type JWTPayload, jwtVerify } from 'jose';

/** Who a token speaks for. */
export interface Identity {
  readonly userId: UserId;
  /** Everything that the token claims. */
  readonly claims: Readonly<Record<string, Json>>;
  /** When the session must end unless it is refreshed: exactly the token's `exp`. Undefined: the token has none. */
  readonly expiresAt: Millis | undefined;
  /** The claim `operator` is the boolean true. */
  readonly operator: boolean;
}

export interface Authenticator {
  /** False when there is no key: every token is refused then. */
  readonly configured: boolean;
  /** `Bearer ` in front is accepted. Throws SyncError `unauthenticated` or `token_expired`. */
  verify(token: string): Promise<Identity>;
}

export interface AuthenticatorOptions {
  /** Key of HS256, as text. */
  readonly secret?: string;
  /** What `iss` must be; undefined: not looked at. */
  readonly issuer?: string;
  /** What `aud` must be or contain; undefined: not looked at. */
  readonly audience?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** How far the clock of the issuer may run ahead of ours before a fresh token is "not yet valid". Never lengthens a token. */
const clockToleranceSeconds = 5;

/** The only algorithm: naming it here is what refuses `none` and a public key used as a secret. */
const algorithms = ['HS256'];

/**
 * Checks tokens against one shared secret.
 * An `exp` that has been reached is `token_expired` at once, without tolerance, so that the end of a session is the token's.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { secret, now = Date.now } = options;
  const key = secret === undefined || secret === '' ? undefined : new TextEncoder().encode(secret);
  const constraints = {
    algorithms,
    clockTolerance: clockToleranceSeconds,
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience }),
  };

  async function verify(token: string): Promise<Identity> {
    if (key === undefined) throw new SyncError('unauthenticated', 'this server has no key to check tokens with');
    const text = bareToken(token);
    const time = now();
    try {
      const { payload } = await jwtVerify(text, key, { ...constraints, currentDate: new Date(time) });
      return identityOf(payload, time);
    } catch (error) {
      throw refusal(error);
    }
  }

  return { configured: key !== undefined, verify };
}

function bareToken(token: unknown): string {
  if (typeof token !== 'string') throw new SyncError('unauthenticated', 'a token must be a string');
  if (token.length > limits.token) {
    throw new SyncError('unauthenticated', `a token may have at most ${limits.token} characters`);
  }
  return token.replace(/^bearer /i, '').trim();
}

function identityOf(payload: JWTPayload, time: Millis): Identity {
  const claims = payload as Readonly<Record<string, Json>>;
  const expiresAt = payload.exp === undefined ? undefined : millisOf(payload.exp);
  if (expiresAt !== undefined && expiresAt <= time) throw expired();
  return { userId: userIdOf(claims), claims, expiresAt, operator: own(claims, 'operator') === true };
}

/** A token may name a time that no date can hold; it stays a number that timers and JSON can. */
function millisOf(seconds: number): Millis {
  return Math.min(Math.floor(seconds * 1000), Number.MAX_SAFE_INTEGER);
}

/** `sub`, else `userId`, else `uid`. The first that is there decides: a malformed one is refused, not passed over. */
function userIdOf(claims: Readonly<Record<string, Json>>): UserId {
  const value = own(claims, 'sub') ?? own(claims, 'userId') ?? own(claims, 'uid');
  if (value === undefined || value === null) {
    throw new SyncError('unauthenticated', 'the token names no user: the claim sub, userId or uid is missing');
  }
  const fault = userIdFault(value);
  if (fault !== undefined) throw new SyncError('unauthenticated', `the token's user id ${fault}`);
  return brandAs<UserId>(value as string);
}

function userIdFault(value: Json): string | undefined {
  if (typeof value !== 'string') return 'is not a string';
  if (value.trim() === '') return 'is empty';
  if (value.length > limits.userId) return `is longer than ${limits.userId} characters`;
  return value.includes('\u0000') || !value.isWellFormed() ? 'is not well-formed text' : undefined;
}

/** The prototype's names (`constructor`, …) are no claims. */
function own(claims: Readonly<Record<string, Json>>, name: string): Json | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

const expired = () => new SyncError('token_expired', 'the token has expired');

function refusal(error: unknown): SyncError {
  if (SyncError.is(error)) return error;
  if (error instanceof errors.JWTExpired) return expired();
  return new SyncError('unauthenticated', sentenceOf(error), { cause: error });
}

/** Says what an honest client's developer needs, and nothing about the key. */
function sentenceOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf') return 'the token is not valid yet';
    return `the token is not for this server: its claim ${error.claim} is missing or wrong`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the token is not signed with HS256';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong';
  return 'the token is malformed';
}
