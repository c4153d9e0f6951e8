import type { Json } from './json.ts';
import { MAX_ARGUMENT_INDEX } from './limits.ts';
import { ESCAPES, readDate, readExtended, readNumber, readString, readTyped } from './literals.ts';
import { QueryError } from './query-error.ts';
import { END, type Token } from './token.ts';

const BLANKS = /[ \t\r\n]*/y;
const DATE = /T[+-]?\d+:[+-]?\d+|\d+-\d+-\d+[@T]\d+:\d+:\d+(?:[:.]\d+)?Z?/y;
const NUMBER = /[+-]?(?:0x[\da-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?f?)|[+-](?:infinity|inf|nan)/iy;
/** `@words`, and `$names` that stand for nothing here, too: the parser says what it wants in their place. */
const SYMBOL = /==|=<|=>|=|!=|!|<>|<=|<|>=|>|&&|\|\||[(){},.]|\[c\]|[@$][a-z_]+/iy;
const ARGUMENT = /\$\d+/y;
/** A name starts with a letter, `_` or any character beyond ASCII; digits, `-` and `$` may follow, and blanks escaped by a backslash. */
const NAME =
  /(?:[\p{L}_]|(?![\p{Cc}\p{Cs}\p{Z}\uFEFF])[^\0-\x7f])(?:[\p{L}\p{M}\p{N}_$-]|(?![\p{Cc}\p{Cs}\p{Z}\uFEFF])[^\0-\x7f]|\\[ nrt])*/uy;
// Of these the beginning is enough to match: it is refused as what it was meant to be.
const OID = /oid\((?:\s*([\da-f-]*)\s*\))?/iy;
const UUID = /uuid\((?:\s*([\da-f-]*)\s*\))?/iy;
const QUOTED = /'(?:[^\\']|\\[\s\S])*'|"(?:[^\\"]|\\[\s\S])*"/.source;
const STRING = new RegExp(`${QUOTED}|['"]`, 'y');
const EXTENDED = new RegExp(`ejson\\((?:[ \\t\\r\\n]*(${QUOTED})[ \\t\\r\\n]*\\))?`, 'iy');

type Content = Pick<Token, 'name' | 'value' | 'argument'> & { readonly word?: string };

interface Rule {
  readonly pattern: RegExp;
  /** Undefined when there is nothing that the text stands for. */
  readonly read: (match: RegExpExecArray, position: number) => Content | undefined;
  readonly expected?: string;
}

/** The first that matches decides. */
const RULES: readonly Rule[] = [
  { pattern: DATE, read: ([text]) => literal(readDate(text)), expected: 'a date that exists' },
  {
    pattern: NUMBER,
    read: ([text]) => literal(readNumber(text)),
    expected: 'an integer of 64 bits or a number within the range of a double',
  },
  { pattern: ARGUMENT, read: readArgument, expected: `an argument from $0 to $${MAX_ARGUMENT_INDEX}` },
  { pattern: SYMBOL, read: ([text]) => ({ word: text.toLowerCase() }) },
  { pattern: OID, read: ([, hex]) => literal(readTyped('$oid', hex)), expected: 'oid(24 hexadecimal digits)' },
  {
    pattern: UUID,
    read: ([, hex]) => literal(readTyped('$uuid', hex)),
    expected: 'uuid(8-4-4-4-12 hexadecimal digits)',
  },
  {
    pattern: EXTENDED,
    read: ([text, quoted], position) =>
      quoted === undefined ? undefined : literal(readExtended(readString(quoted, position + text.indexOf(quoted)))),
    expected: "ejson('<a value, not a list, as Extended JSON>')",
  },
  { pattern: NAME, read: readName },
  { pattern: STRING, read: ([text], position) => ({ value: readString(text, position) }) },
];

/** Cuts a text into tokens, the last of which is the end. Throws {@link QueryError} at what starts none. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let offset = skipBlanks(source, 0);
  while (offset < source.length) {
    const token = tokenAt(source, offset);
    tokens.push(token);
    offset = skipBlanks(source, offset + token.text.length);
  }
  tokens.push({ position: source.length + 1, text: END, word: END });
  return tokens;
}

function skipBlanks(source: string, offset: number): number {
  BLANKS.lastIndex = offset;
  BLANKS.test(source);
  return BLANKS.lastIndex;
}

function tokenAt(source: string, offset: number): Token {
  const position = offset + 1;
  for (const { pattern, read, expected = '' } of RULES) {
    pattern.lastIndex = offset;
    const match = pattern.exec(source);
    if (!match) continue;
    const [text] = match;
    const content = read(match, position);
    if (!content) throw new QueryError(position, text, [expected]);
    return { position, text, word: '', ...content };
  }
  const character = String.fromCodePoint(source.codePointAt(offset) ?? 0);
  throw new QueryError(position, JSON.stringify(character), ['a field', 'a value', 'an operator']);
}

function literal(value: Json | undefined): Content | undefined {
  return value === undefined ? undefined : { value };
}

function readArgument([text]: RegExpExecArray): Content | undefined {
  const argument = Number(text.slice(1));
  return argument > MAX_ARGUMENT_INDEX ? undefined : { argument };
}

function readName([text]: RegExpExecArray): Content {
  const name = text.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
  return { name, word: name === text ? text.toLowerCase() : '' };
}
