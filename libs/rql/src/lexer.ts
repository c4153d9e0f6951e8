import type { Json } from './json.ts';
import { MAX_ARGUMENT_INDEX } from './limits.ts';
import { readDate, readEscape, readExtended, readNumber, readTyped } from './literals.ts';
import { QueryError } from './query-error.ts';
import type { Token } from './token.ts';

const BLANKS = /[ \t\r\n]*/y;
const DATE = /T[+-]?\d+:[+-]?\d+|\d+-\d+-\d+[@T]\d+:\d+:\d+(?:[:.]\d+)?Z?/y;
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?f?)|[+-](?:infinity|inf|nan)/iy;
const SYMBOL = /==|=<|=>|=|!=|!|<>|<=|<|>=|>|&&|\|\||[(){},.]|\[c\]/iy;
/** `@words`, and `$names` that stand for nothing here: the parser says what it wants in their place. */
const OTHER_SYMBOL = /[@$][a-z_]+/iy;
const ARGUMENT = /\$\d+/y;
const USER = /\$user(?![\p{L}\p{N}_$-])/uy;
/** A name starts with a letter, `_` or any character beyond ASCII; digits, `-` and `$` may follow, and blanks escaped by a backslash. */
const NAME =
  /(?:[\p{L}_]|(?![\p{Cc}\p{Cs}\p{Z}\uFEFF])[^\0-\x7f])(?:[\p{L}\p{M}\p{N}_$-]|(?![\p{Cc}\p{Cs}\p{Z}\uFEFF])[^\0-\x7f]|\\[ nrt])*/uy;
const TYPED = /\(\s*([0-9a-fA-F-]*)\s*\)/y;
const ONE_SPELLING: Readonly<Record<string, string>> = { '=': '==', '<>': '!=', '=<': '<=', '=>': '>=' };
const BLANK_ESCAPES: Readonly<Record<string, string>> = { ' ': ' ', n: '\n', r: '\r', t: '\t' };

/** Cuts a text into tokens, the last of which is the end. Throws {@link QueryError} at what starts none. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let offset = skipBlanks(source, 0);
  while (offset < source.length) {
    const { token, end } = nextToken(source, offset);
    tokens.push(token);
    offset = skipBlanks(source, end);
  }
  tokens.push({ kind: 'end', position: source.length + 1, text: 'the end' });
  return tokens;
}

interface Lexed {
  readonly token: Token;
  readonly end: number;
}

function nextToken(source: string, offset: number): Lexed {
  const first = source[offset] ?? '';
  if (first === '"' || first === "'") return lexString(source, offset);
  const lexed =
    lexDate(source, offset) ??
    lexNumber(source, offset) ??
    lexPlaceholder(source, offset) ??
    lexSymbol(source, offset) ??
    lexName(source, offset);
  if (lexed) return lexed;
  const character = String.fromCodePoint(source.codePointAt(offset) ?? 0);
  throw new QueryError({
    position: offset + 1,
    expected: ['a field', 'a value', 'an operator'],
    found: JSON.stringify(character),
  });
}

/** The text that the pattern (sticky) matches at the offset. */
function matchAt(pattern: RegExp, source: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(source)?.[0];
}

function skipBlanks(source: string, offset: number): number {
  return offset + (matchAt(BLANKS, source, offset)?.length ?? 0);
}

function literal(value: Json, place: { source: string; offset: number; length: number }): Lexed {
  const { source, offset, length } = place;
  const text = source.slice(offset, offset + length);
  return { token: { kind: 'literal', position: offset + 1, text, value }, end: offset + length };
}

function lexDate(source: string, offset: number): Lexed | undefined {
  const text = matchAt(DATE, source, offset);
  if (text === undefined) return undefined;
  const value = readDate(text);
  if (value === undefined) {
    throw new QueryError({ position: offset + 1, expected: ['a date that exists'], found: text });
  }
  return literal(value, { source, offset, length: text.length });
}

function lexNumber(source: string, offset: number): Lexed | undefined {
  const text = matchAt(NUMBER, source, offset);
  if (text === undefined) return undefined;
  const value = readNumber(text);
  if (value === undefined) {
    throw new QueryError({
      position: offset + 1,
      expected: ['an integer of 64 bits or a number within the range of a double'],
      found: text,
    });
  }
  return literal(value, { source, offset, length: text.length });
}

function lexPlaceholder(source: string, offset: number): Lexed | undefined {
  const place = { position: offset + 1 };
  const user = matchAt(USER, source, offset);
  if (user !== undefined) {
    return { token: { kind: 'symbol', symbol: '$user', text: user, ...place }, end: offset + user.length };
  }
  const text = matchAt(ARGUMENT, source, offset);
  if (text === undefined) return undefined;
  const index = Number(text.slice(1));
  if (index > MAX_ARGUMENT_INDEX) {
    throw new QueryError({ ...place, expected: [`an argument from $0 to $${MAX_ARGUMENT_INDEX}`], found: text });
  }
  return { token: { kind: 'argument', index, text, ...place }, end: offset + text.length };
}

function lexSymbol(source: string, offset: number): Lexed | undefined {
  const text = matchAt(SYMBOL, source, offset) ?? matchAt(OTHER_SYMBOL, source, offset);
  if (text === undefined) return undefined;
  const lower = text.toLowerCase();
  const symbol = ONE_SPELLING[lower] ?? lower;
  return { token: { kind: 'symbol', symbol, text, position: offset + 1 }, end: offset + text.length };
}

function lexName(source: string, offset: number): Lexed | undefined {
  const text = matchAt(NAME, source, offset);
  if (text === undefined) return undefined;
  const end = offset + text.length;
  const name = text.replace(/\\([ nrt])/g, (_, letter: string) => BLANK_ESCAPES[letter] ?? letter);
  const word = name === text ? text.toLowerCase() : '';
  if ((word === 'oid' || word === 'uuid') && source[end] === '(') return lexTyped(source, offset, word);
  if (word === 'ejson' && source[end] === '(') return lexExtended(source, offset);
  return { token: { kind: 'name', position: offset + 1, text, name, word }, end };
}

function lexTyped(source: string, offset: number, word: 'oid' | 'uuid'): Lexed {
  const from = offset + word.length;
  const text = matchAt(TYPED, source, from);
  const value = text === undefined ? undefined : readTyped(word, text.slice(1, -1).trim());
  if (text === undefined || value === undefined) {
    const expected = word === 'oid' ? 'oid(24 hexadecimal digits)' : 'uuid(8-4-4-4-12 hexadecimal digits)';
    throw new QueryError({ position: offset + 1, expected: [expected], found: source.slice(offset, offset + 45) });
  }
  return literal(value, { source, offset, length: word.length + text.length });
}

function lexExtended(source: string, offset: number): Lexed {
  const from = skipBlanks(source, offset + 'ejson('.length);
  const quote = source[from];
  if (quote === '"' || quote === "'") {
    const { token, end } = lexString(source, from);
    const close = skipBlanks(source, end);
    const text = token.kind === 'literal' ? token.value : undefined;
    const value = typeof text === 'string' ? readExtended(text) : undefined;
    if (value !== undefined && source[close] === ')') {
      return literal(value, { source, offset, length: close + 1 - offset });
    }
  }
  const expected = ["ejson('<a value, not a list, as Extended JSON>')"];
  throw new QueryError({ position: offset + 1, expected, found: source.slice(offset, offset + 40) });
}

function lexString(source: string, offset: number): Lexed {
  const quote = source[offset];
  let value = '';
  for (let index = offset + 1; index < source.length; index += 1) {
    const character = source[index] ?? '';
    if (character === quote) return literal(value, { source, offset, length: index + 1 - offset });
    if (character !== '\\') {
      value += character;
      continue;
    }
    const escaped = readEscape(source, index + 1);
    if (!escaped) {
      const expected = ['one of the escapes \\" \\\' \\\\ \\/ \\b \\f \\n \\r \\t \\0 \\uXXXX'];
      throw new QueryError({ position: index + 1, expected, found: source.slice(index, index + 2) });
    }
    value += escaped.text;
    index += escaped.length;
  }
  throw new QueryError({ position: offset + 1, expected: [`a closing ${quote}`], found: 'the end' });
}
