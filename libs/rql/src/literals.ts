import { encodeNumber, normalize } from './atom.ts';
import { checkValue } from './check-value.ts';
import { parseLong } from './decimal.ts';
import { isList, type Json } from './json.ts';

const DATE_PARTS = /^(\d{1,6})-(\d{1,2})-(\d{1,2})[@T](\d{1,2}):(\d{1,2}):(\d{1,2})(?::(\d{1,9})|\.(\d{1,9}))?Z?$/;
const TICKS = /^T([+-]?\d+):([+-]?\d+)$/;
const MAX_TIME = 8.64e15;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '/': '/',
  '\\': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
};

/** Decimal, hexadecimal or `inf`/`nan` with a sign; undefined for an integer past 64 bits or a number past the doubles. */
export function readNumber(text: string): Json | undefined {
  const numeral = text.replace(/^[+-]/, '');
  const sign = text.startsWith('-') ? '-' : '';
  if (/^0x/i.test(numeral)) return readInteger(sign + String(BigInt(numeral)));
  if (/^\d+$/.test(numeral)) return readInteger(sign + numeral);
  if (/^inf/i.test(numeral)) return encodeNumber(sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
  if (/^nan$/i.test(numeral)) return encodeNumber(Number.NaN);
  const value = Number(sign + numeral.replace(/f$/i, ''));
  return Number.isFinite(value) ? encodeNumber(value) : undefined;
}

function readInteger(text: string): Json | undefined {
  const value = parseLong(text.replace(/^(-?)0+(?=\d)/, '$1'));
  return value === undefined ? undefined : encodeNumber(value);
}

/**
 * `2026-11-24@10:00:00`, `2026-11-24T10:00:00` (both UTC, with `:nanoseconds`, or `.fraction` and `Z` as JavaScript
 * writes them) and `T<seconds>:<nanoseconds>`. Stored dates have milliseconds; what is finer is cut off.
 */
export function readDate(text: string): Json | undefined {
  const ticks = TICKS.exec(text);
  const time = ticks ? ticksTime(Number(ticks[1]), Number(ticks[2])) : calendarTime(text);
  return time === undefined || !(Math.abs(time) <= MAX_TIME) ? undefined : normalize({ $date: time + 0 });
}

/** Both parts have one sign, as Realm demands: T-1:-500000000 is half a second before T-1:0. */
function ticksTime(seconds: number, nanoseconds: number): number | undefined {
  if (Math.abs(nanoseconds) >= 1e9 || seconds * nanoseconds < 0) return undefined;
  return seconds * 1000 + Math.trunc(nanoseconds / 1e6);
}

function calendarTime(text: string): number | undefined {
  const match = DATE_PARTS.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const milliseconds = match[8] === undefined ? Number(match[7] ?? 0) / 1e6 : Number(match[8].padEnd(9, '0')) / 1e6;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isRealDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isRealDay || hour > 23 || minute > 59 || second > 59) return undefined;
  return date.setUTCHours(hour, minute, second, Math.trunc(milliseconds));
}

/** What an escape stands for and how many characters it takes after the backslash; undefined if there is no such escape. */
export function readEscape(source: string, at: number): { text: string; length: number } | undefined {
  const letter = source[at] ?? '';
  const hex = /^[0-9a-f]{4}$/i.exec(source.slice(at + 1, at + 5));
  if (letter === 'u') return hex ? { text: String.fromCharCode(Number.parseInt(hex[0], 16)), length: 5 } : undefined;
  const text = Object.hasOwn(SIMPLE_ESCAPES, letter) ? SIMPLE_ESCAPES[letter] : undefined;
  return text === undefined ? undefined : { text, length: 1 };
}

/** The content of `oid(…)` or `uuid(…)`. */
export function readTyped(word: 'oid' | 'uuid', content: string): Json | undefined {
  if (word === 'oid') return normalize({ $oid: content });
  return content.includes('-') ? normalize({ $uuid: content }) : undefined;
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
