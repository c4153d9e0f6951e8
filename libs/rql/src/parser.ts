import { tokenize } from './lexer.ts';
import { MAX_DEPTH, MAX_TEXT_BYTES } from './limits.ts';
import { parseList, parseOperand } from './operand-parser.ts';
import { QueryError } from './query-error.ts';
import { END } from './token.ts';
import { TokenReader } from './token-reader.ts';
import type { ComparisonNode, Node, Operand } from './tree.ts';

/**
 * A parsed query, immutable.
 */
export interface Query {
  readonly source: string;
  readonly root: Node;
  /** How many arguments it needs: the highest `$n` plus one. */
  readonly argumentCount: number;
  readonly usesUser: boolean;
}

export interface ParseOptions {
  /** Whether `$user.<claim>` may stand for a value: yes in rules, no in what a client sends. Default: no. */
  readonly allowUser?: boolean;
}

/**
 * Parses this grammar (words in capitals in any case; between tokens any blanks):
 *
 *     query      = [ or ]                                          nothing at all means TRUEPREDICATE
 *     or         = and { ( "||" | OR ) and }
 *     and        = not { ( "&&" | AND ) not }
 *     not        = ( "!" | NOT ) not | primary
 *     primary    = "(" or ")" | TRUEPREDICATE | FALSEPREDICATE | comparison
 *     comparison = operand ( equality [ "[c]" ] operand
 *                          | ( "<" | "<=" | "=<" | ">" | ">=" | "=>" ) operand
 *                          | ( BEGINSWITH | ENDSWITH | CONTAINS | LIKE ) [ "[c]" ] operand
 *                          | BETWEEN ( list | argument ) )
 *     equality   = "==" | "=" | "!=" | "<>" | IN
 *     operand    = [ ANY | SOME | ALL | NONE ] ( path | list | argument | user ) | path "." aggregate | literal
 *     path       = name { "." name }
 *     aggregate  = ( "@count" | "@size" ) | ( "@min" | "@max" | "@sum" | "@avg" ) { "." name }
 *     list       = "{" [ constant { "," constant } ] "}"
 *     constant   = literal | argument | user
 *     argument   = "$" digits
 *     user       = "$user" "." name { "." name }
 *     literal    = number | string | date | oid(…) | uuid(…) | ejson(…) | TRUE | FALSE | NULL | NIL | INF | INFINITY | NAN
 *
 * The words NOT AND OR ANY SOME ALL NONE TRUE FALSE NULL NIL INF INFINITY NAN TRUEPREDICATE FALSEPREDICATE SUBQUERY
 * cannot begin a path (as in Realm); the others can, and after a dot any word is a field name.
 *
 * @throws QueryError for anything else, and past the limits of `limits.ts`.
 */
export function parseQuery(source: string, options: ParseOptions = {}): Query {
  if (source.length > MAX_TEXT_BYTES || new TextEncoder().encode(source).length > MAX_TEXT_BYTES) {
    throw new QueryError(1, `the text is longer than ${MAX_TEXT_BYTES} bytes`);
  }
  const reader = new TokenReader(tokenize(source), options.allowUser ?? false);
  const root = parseWhole(reader);
  return { source, root, argumentCount: reader.argumentCount, usesUser: reader.usesUser };
}

type Operator = ComparisonNode['operator'];

/** The operators of a comparison in all their spellings. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  '==': '==',
  '=': '==',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '=<': '<=',
  '>': '>',
  '>=': '>=',
  '=>': '>=',
  in: 'in',
  beginswith: 'beginsWith',
  endswith: 'endsWith',
  contains: 'contains',
  like: 'like',
};
const CONSTANTS: Readonly<Record<string, boolean>> = { truepredicate: true, falsepredicate: false };

function parseWhole(reader: TokenReader): Node {
  if (reader.at(END)) return { kind: 'constant', value: true };
  const root = parseOr(reader);
  if (reader.at(END)) return root;
  const isSorting = reader.at('sort', 'distinct', 'limit');
  return reader.fail(['AND', 'OR', END], isSorting ? ' (a filter cannot sort, limit or drop duplicates)' : '');
}

type Parse = (reader: TokenReader) => Node;

/** Members with one of the words between them; a single one stands for itself. */
function parserOf(kind: 'and' | 'or', words: readonly string[], parseMember: Parse): Parse {
  return (reader) => {
    const first = parseMember(reader);
    const members = [first];
    while (reader.take(...words)) members.push(parseMember(reader));
    return members.length === 1 ? first : { kind, members };
  };
}

const parseAnd = parserOf('and', ['&&', 'and'], parseNot);
const parseOr = parserOf('or', ['||', 'or'], parseAnd);

function parseNot(reader: TokenReader): Node {
  const { position } = reader.peek();
  if (reader.take('!', 'not')) return { kind: 'not', member: nested(reader, position, parseNot) };
  if (reader.take('(')) return nested(reader, position, parseGroup);
  const value = reader.takeOf(CONSTANTS);
  return value === undefined ? parseComparison(reader) : { kind: 'constant', value };
}

function parseGroup(reader: TokenReader): Node {
  const node = parseOr(reader);
  if (!reader.take(')')) reader.fail(['AND', 'OR', ')']);
  return node;
}

function nested(reader: TokenReader, position: number, parse: Parse): Node {
  reader.depth += 1;
  if (reader.depth > MAX_DEPTH) throw new QueryError(position, `nested deeper than ${MAX_DEPTH}`);
  const node = parse(reader);
  reader.depth -= 1;
  return node;
}

function parseComparison(reader: TokenReader): Node {
  const left = parseOperand(reader);
  const { position } = reader.peek();
  if (reader.take('between')) return parseBetween(reader, left, position);
  const operator =
    reader.takeOf(OPERATORS) ??
    reader.fail(['a comparison (== != < <= > >= IN BETWEEN BEGINSWITH ENDSWITH CONTAINS LIKE)']);
  const caseInsensitive = !/[<>]/.test(operator) && reader.take('[c]');
  const right = parseOperand(reader);
  const node: ComparisonNode = { kind: 'comparison', operator, left, right, caseInsensitive, position };
  checkComparison(node);
  return node;
}

function parseBetween(reader: TokenReader, operand: Operand, position: number): Node {
  const start = reader.peek();
  const range = start.argument === undefined ? parseList(reader) : parseOperand(reader);
  if (range.kind === 'argument' || (range.kind === 'list' && range.items.length === 2)) {
    return { kind: 'between', operand, range, position };
  }
  throw new QueryError(start.position, 'another number of values', ['{low, high}']);
}

/** What is grammatical but means nothing. */
function checkComparison({ operator, left, right }: ComparisonNode): void {
  const { kind, position } = right;
  if (isQuantified(left) && isQuantified(right)) {
    throw new QueryError(position, 'two', ['one of ANY, ALL, NONE in a comparison']);
  }
  if (operator === 'in' && (kind === 'literal' || kind === 'aggregate')) {
    throw new QueryError(position, 'a single value', ['a list']);
  }
  if (operator === 'like' && (kind === 'path' || kind === 'aggregate')) {
    throw new QueryError(position, 'a field', ['a pattern', 'an argument']);
  }
}

function isQuantified(operand: Operand): boolean {
  return 'quantifier' in operand;
}
