import { createHmac } from 'node:crypto';

/** Long enough for production. */
export const secret = 'a-key-for-tests-that-has-more-than-32-bytes';

export interface TokenOptions {
  readonly key?: string;
  readonly header?: Readonly<Record<string, unknown>>;
  /** Seconds from now; 600 when left out, null for a token without `exp`. */
  readonly livesFor?: number | null;
}

/** An HS256 token, made by hand so that the tests do not trust the library that they test. */
export function mintToken(claims: Readonly<Record<string, unknown>>, options: TokenOptions = {}): string {
  const { key = secret, header = {}, livesFor = 600 } = options;
  const exp = livesFor === null ? {} : { exp: Math.floor(Date.now() / 1_000) + livesFor };
  const head = encode({ alg: 'HS256', typ: 'JWT', ...header });
  const body = encode({ ...exp, ...claims });
  const signature = createHmac('sha256', key).update(`${head}.${body}`).digest('base64url');
  return `${head}.${body}.${signature}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
