/** How a value is read from the environment (always text) and from the file (any JSON). `undefined`: not acceptable. */
export interface SettingKind<T> {
  /** Completes the sentence "X must be …". */
  readonly expected: string;
  readonly fromText: (text: string) => T | undefined;
  readonly fromJson: (value: unknown) => T | undefined;
}

export function integer(min: number, max: number): SettingKind<number> {
  const within = (value: number) => (Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined);
  return {
    expected: `a whole number from ${min} to ${max}`,
    fromText: (text) => (/^-?\d+$/.test(text) ? within(Number(text)) : undefined),
    fromJson: (value) => (typeof value === 'number' ? within(value) : undefined),
  };
}

const booleans = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['false', false],
  ['0', false],
  ['no', false],
]);

export const boolean: SettingKind<boolean> = {
  expected: 'true, 1, yes, false, 0 or no',
  fromText: (text) => booleans.get(text.toLowerCase()),
  fromJson: (value) => (typeof value === 'boolean' ? value : undefined),
};

export const text: SettingKind<string> = fromTextOnly('a text', (value) => value);

export function oneOf<const V extends string>(...values: readonly V[]): SettingKind<V> {
  return fromTextOnly(`one of ${values.join(', ')}`, (value) => values.find((known) => known === value));
}

/** A text that matches a pattern, for example a name that becomes part of keys. */
export function pattern(expected: string, expression: RegExp): SettingKind<string> {
  return fromTextOnly(expected, (value) => (expression.test(value) ? value : undefined));
}

/** A URL with one of the schemes. MongoDB's lists of hosts are no URL to a parser, so only the scheme is looked at. */
export function url(...schemes: readonly string[]): SettingKind<string> {
  const expected = `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return pattern(
    expected,
    new RegExp(`^(?:${schemes.map((scheme) => scheme.replace('+', '\\+')).join('|')})://[^\\s]+$`),
  );
}

/** A URL of the web, as a parser takes it. */
export const webUrl: SettingKind<string> = fromTextOnly('a URL that starts with https:// or http://', (value) =>
  /^https?:\/\/\S+$/.test(value) && URL.canParse(value) ? value : undefined,
);

/** Where Redis is, with everything in it that the transport will read. */
export const redisUrl: SettingKind<string> = fromTextOnly(
  'of the form redis://user:password@host:6379/0, rediss:// for TLS, or several such separated by commas',
  (value) => (value.split(',').every((part) => isRedisUrl(part.trim())) ? value : undefined),
);

function isRedisUrl(part: string): boolean {
  if (!/^rediss?:\/\/\S+$/.test(part) || !URL.canParse(part)) return false;
  const { hostname, pathname, username, password } = new URL(part);
  return hostname !== '' && /^\/?\d*$/.test(pathname) && [username, password].every(isPercentEncoded);
}

function isPercentEncoded(value: string): boolean {
  try {
    decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
}

/** `'*'`: every origin. An empty list: only pages of this server and clients that are no browsers. */
export type AllowedOrigins = '*' | readonly string[];

export const origins: SettingKind<AllowedOrigins> = {
  expected: '* or origins such as https://app.example.com, separated by commas (a list in the file)',
  fromText: (value) => originList(value.split(',').map((part) => part.trim())),
  fromJson: (value) => {
    if (typeof value === 'string') return originList([value]);
    return Array.isArray(value) && value.every((part) => typeof part === 'string') ? originList(value) : undefined;
  },
};

const originPattern = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#*@]+$/;

function originList(parts: readonly string[]): AllowedOrigins | undefined {
  if (parts.includes('*')) return parts.length === 1 ? '*' : undefined;
  // Browsers send an origin in lower case and without the slash that people paste with it.
  const list = parts.filter((part) => part !== '').map((part) => part.toLowerCase().replace(/\/$/, ''));
  return list.every((part) => originPattern.test(part) || part === 'null') ? Object.freeze(list) : undefined;
}

function fromTextOnly<T>(expected: string, fromText: (text: string) => T | undefined): SettingKind<T> {
  return { expected, fromText, fromJson: (value) => (typeof value === 'string' ? fromText(value) : undefined) };
}
