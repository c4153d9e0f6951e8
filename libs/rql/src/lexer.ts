import type { Json } from './json.ts';
import { MAX_ARGUMENT_INDEX } from './limits.ts';
import { ESCAPES, readDate, readExtended, readNumber, readString, readTyped } from './literals.ts';
import { QueryError } from './query-error.ts';
import { END, type Token } from './token.ts';

const BLANK = ' ';
const BLANKS = /[ \t\r\n]+/y;
const DATE = /T([+-]?\d+):([+-]?\d+)|(\d+)-(\d+)-(\d+)[@T](\d+):(\d+):(\d+)(?:([:.])(\d+))?Z?/y;
const NUMBER = /[+-]?(?:0x[\da-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?f?)|[+-](?:infinity|inf|nan)/iy;
/** `@words`, and `$names` that stand for nothing here, too: the parser says what it wants in their place. */
const SYMBOL = /=[=<>]?|<[=>]?|[!>]=?|&&|\|\||[(){},.]|\[c\]|[@$][a-z_]+/iy;
const ARGUMENT = /\$\d+/y;
/**
 * Letters, digits, `_`, `$`, `-` and any character beyond ASCII that is no blank and no control, and blanks escaped by a backslash;
 * the first is no digit, `$`, `-` or backslash.
 */
const NAME = /(?![\d$\\-])(?:[\w$-]|[^\0-\x7f\p{Cc}\p{Cs}\p{Z}\uFEFF]|\\[ nrt])+/uy;
// Of this and of EXTENDED the beginning is enough to match: it is refused as what it was meant to be.
const TYPED = /(oid|uuid)\((?:\s*([\da-f-]*)\s*\))?/iy;
const QUOTED = /'(?:[^\\']|\\[\s\S])*'|"(?:[^\\"]|\\[\s\S])*"/.source;
const STRING = new RegExp(`${QUOTED}|['"]`, 'y');
const EXTENDED = new RegExp(`ejson\\((?:[ \\t\\r\\n]*(${QUOTED})[ \\t\\r\\n]*\\))?`, 'iy');

type Content = Pick<Token, 'name' | 'value' | 'argument'> & { readonly word?: string };

type Rule = readonly [
  pattern: RegExp,
  /** Undefined when there is nothing that the text stands for. */
  read: (match: RegExpExecArray, position: number) => Content | undefined,
  ...expected: string[],
];

/** The first that matches decides. */
const RULES: readonly Rule[] = [
  [BLANKS, () => ({ word: BLANK })],
  [DATE, (match) => literal(readDate(match)), 'a date that exists'],
  [NUMBER, ([text]) => literal(readNumber(text)), 'an integer of 64 bits or a number within the range of a double'],
  [ARGUMENT, readArgument, `an argument from $0 to $${MAX_ARGUMENT_INDEX}`],
  [SYMBOL, ([text]) => ({ word: text.toLowerCase() })],
  [TYPED, ([, type, hex]) => literal(readTyped(type, hex)), 'oid(24 hexadecimal digits)', 'uuid(8-4-4-4-12 of them)'],
  [EXTENDED, readEjson, "ejson('<a value, not a list, as Extended JSON>')"],
  [NAME, readName],
  [STRING, ([text], position) => ({ value: readString(text, position) })],
];

/** Cuts a text into tokens, the last of which is the end. Throws {@link QueryError} at what starts none. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let offset = 0; offset < source.length; ) {
    const token = tokenAt(source, offset);
    if (token.word !== BLANK) tokens.push(token);
    offset += token.text.length;
  }
  tokens.push({ position: source.length + 1, text: END, word: END });
  return tokens;
}

function tokenAt(source: string, offset: number): Token {
  const position = offset + 1;
  for (const [pattern, read, ...expected] of RULES) {
    pattern.lastIndex = offset;
    const match = pattern.exec(source);
    if (!match) continue;
    const [text] = match;
    const content = read(match, position);
    if (!content) throw new QueryError(position, text, expected);
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

function readEjson([text, quoted]: RegExpExecArray, position: number): Content | undefined {
  if (quoted === undefined) return undefined;
  return literal(readExtended(readString(quoted, position + text.indexOf(quoted))));
}

function readName([text]: RegExpExecArray): Content {
  const name = text.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
  return { name, word: name === text ? text.toLowerCase() : '' };
}
