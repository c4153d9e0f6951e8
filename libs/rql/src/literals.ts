import { encodeNumber, normalize } from './atom.ts';
import { checkValue } from './check-value.ts';
import { isList, type Json } from './json.ts';
import { QueryError } from './query-error.ts';

/** Letters that stand for another character after a backslash. */
export const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '0': '\0' };

/** Decimal, hexadecimal or `inf`/`nan` with a sign; undefined for an integer past 64 bits or a number past the doubles. */
export function readNumber(text: string): Json | undefined {
  const numeral = text.replace(/^[+-]/, '');
  const sign = text.startsWith('-') ? -1 : 1;
  if (/^(0x.*|\d+)$/i.test(numeral)) {
    return normalize({ $numberLong: String(BigInt(numeral) * BigInt(sign)) });
  }
  if (/^[in]/i.test(numeral)) return encodeNumber(/^n/i.test(numeral) ? Number.NaN : sign * Number.POSITIVE_INFINITY);
  const value = Number.parseFloat(text);
  return Number.isFinite(value) ? encodeNumber(value) : undefined;
}

/**
 * The parts of `2026-11-24@10:00:00`, `2026-11-24T10:00:00` (both UTC, with `:nanoseconds`, or `.fraction` and `Z` as JavaScript
 * writes them) and `T<seconds>:<nanoseconds>`. Stored dates have milliseconds; what is finer is cut off.
 */
export function readDate([, ticks, more, ...calendar]: readonly (string | undefined)[]): Json | undefined {
  const time = ticks === undefined ? calendarTime(calendar) : ticksTime(Number(ticks), Number(more));
  return normalize({ $date: time });
}

/** Both parts have one sign, as Realm demands: T-1:-500000000 is half a second before T-1:0. */
function ticksTime(seconds: number, nanoseconds: number): number {
  if (Math.abs(nanoseconds) >= 1e9 || seconds * nanoseconds < 0) return Number.NaN;
  return seconds * 1000 + Math.trunc(nanoseconds / 1e6);
}

function calendarTime(parts: readonly (string | undefined)[]): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  const [separator, digits = ''] = parts.slice(6);
  const nanoseconds = Number(separator === '.' ? digits.padEnd(9, '0') : digits);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isRealDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isRealDay || hour > 23 || minute > 59 || second > 59 || digits.length > 9) return Number.NaN;
  return date.setUTCHours(hour, minute, second, Math.trunc(nanoseconds / 1e6));
}

/** What stands between the quotes, escapes resolved. */
export function readString(quoted: string, position: number): string {
  if (quoted.length === 1) throw new QueryError(position, 'the end', [`a closing ${quoted}`]);
  const escapes = /\\(?:u([\da-fA-F]{4})|([\s\S]))/g;
  return quoted.slice(1, -1).replace(escapes, (found, hex: string | undefined, letter: string, at: number) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const text = /["'\\/]/.test(letter) ? letter : ESCAPES[letter];
    if (text !== undefined) return text;
    const expected = 'one of the escapes \\" \\\' \\\\ \\/ \\b \\f \\n \\r \\t \\0 \\uXXXX';
    throw new QueryError(position + 1 + at, found, [expected]);
  });
}

/** The content of `oid(…)` or `uuid(…)`. */
export function readTyped(type = '', hex = ''): Json | undefined {
  return normalize({ [`$${type.toLowerCase()}`]: hex });
}

/** The content of `ejson('…')`: Extended JSON as a string, for values that have no literal of their own. No lists. */
export function readExtended(content: string): Json | undefined {
  try {
    const checked = checkValue(JSON.parse(content));
    return checked.ok && !isList(checked.value) ? checked.value : undefined;
  } catch {
    return undefined;
  }
}
