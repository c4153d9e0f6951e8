import { tokenize } from './lexer.ts';
import { MAX_DEPTH, MAX_TEXT_BYTES } from './limits.ts';
import { type OperandOptions, parseList, parseOperand } from './operand-parser.ts';
import { QueryError } from './query-error.ts';
import { TokenReader } from './token-reader.ts';
import type {
  ArgumentOperand,
  ComparisonNode,
  ListOperand,
  Node,
  Operand,
  RelationalOperator,
  TextOperator,
} from './tree.ts';

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
  checkSize(source);
  const reader = new TokenReader(tokenize(source));
  const seen = { argumentCount: 0, usesUser: false };
  const context: OperandOptions = { allowUser: options.allowUser ?? false, seen };
  const root: Node = reader.atEnd() ? { kind: 'constant', value: true } : new QueryParser(reader, context).parse();
  return { source, root, ...seen };
}

function checkSize(source: string): void {
  if (source.length <= MAX_TEXT_BYTES && new TextEncoder().encode(source).length <= MAX_TEXT_BYTES) return;
  throw new QueryError({ position: 1, found: `the text is longer than ${MAX_TEXT_BYTES} bytes` });
}

const RELATIONAL: ReadonlySet<string> = new Set<RelationalOperator>(['==', '!=', '<', '<=', '>', '>=']);
const TEXT_OPERATORS: Readonly<Record<string, TextOperator>> = {
  beginswith: 'beginsWith',
  endswith: 'endsWith',
  contains: 'contains',
  like: 'like',
};
const OPERATORS = ['a comparison (== != < <= > >= IN BETWEEN BEGINSWITH ENDSWITH CONTAINS LIKE)'];

type Operator = ComparisonNode['operator'];

class QueryParser {
  private readonly reader: TokenReader;
  private readonly context: OperandOptions;
  private depth = 0;

  constructor(reader: TokenReader, context: OperandOptions) {
    this.reader = reader;
    this.context = context;
  }

  parse(): Node {
    const root = this.parseOr();
    if (this.reader.atEnd()) return root;
    const isSorting = this.reader.at('sort', 'distinct', 'limit');
    return this.reader.fail(
      ['AND', 'OR', 'the end'],
      isSorting ? ' (a filter cannot sort, limit or drop duplicates)' : '',
    );
  }

  private parseOr(): Node {
    const members = [this.parseAnd()];
    while (this.reader.take('||', 'or')) members.push(this.parseAnd());
    return members.length === 1 && members[0] ? members[0] : { kind: 'or', members };
  }

  private parseAnd(): Node {
    const members = [this.parseNot()];
    while (this.reader.take('&&', 'and')) members.push(this.parseNot());
    return members.length === 1 && members[0] ? members[0] : { kind: 'and', members };
  }

  private parseNot(): Node {
    const { position } = this.reader.peek();
    if (this.reader.take('!', 'not')) {
      return this.nested(position, () => ({ kind: 'not', member: this.parseNot() }));
    }
    if (this.reader.take('(')) return this.nested(position, () => this.parseGroup());
    if (this.reader.take('truepredicate')) return { kind: 'constant', value: true };
    if (this.reader.take('falsepredicate')) return { kind: 'constant', value: false };
    return this.parseComparison();
  }

  private parseGroup(): Node {
    const node = this.parseOr();
    if (!this.reader.take(')')) this.reader.fail(['AND', 'OR', ')']);
    return node;
  }

  private nested(position: number, parse: () => Node): Node {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw new QueryError({ position, found: `nested deeper than ${MAX_DEPTH}` });
    const node = parse();
    this.depth -= 1;
    return node;
  }

  private parseComparison(): Node {
    const left = parseOperand(this.reader, this.context);
    const { position } = this.reader.peek();
    if (this.reader.take('between')) return { kind: 'between', operand: left, range: this.parseRange(), position };
    const operator = this.parseOperator();
    const caseInsensitive = !isOrdering(operator) && this.reader.take('[c]');
    const right = parseOperand(this.reader, this.context);
    const node: ComparisonNode = { kind: 'comparison', operator, left, right, caseInsensitive, position };
    checkComparison(node);
    return node;
  }

  private parseOperator(): Operator {
    const token = this.reader.peek();
    if (this.reader.take('in')) return 'in';
    if (token.kind === 'symbol' && RELATIONAL.has(token.symbol) && this.reader.take(token.symbol)) {
      return token.symbol as RelationalOperator;
    }
    const word = token.kind === 'name' ? token.word : '';
    const operator = Object.hasOwn(TEXT_OPERATORS, word) ? TEXT_OPERATORS[word] : undefined;
    if (operator === undefined) return this.reader.fail(OPERATORS);
    this.reader.take(word);
    return operator;
  }

  private parseRange(): ListOperand | ArgumentOperand {
    const start = this.reader.peek();
    const operand =
      start.kind === 'argument' ? parseOperand(this.reader, this.context) : parseList(this.reader, this.context);
    if (operand.kind === 'argument') return operand;
    if (operand.kind === 'list' && operand.items.length === 2) return operand;
    throw new QueryError({ position: start.position, expected: ['{low, high}'], found: 'another number of values' });
  }
}

function isOrdering(operator: Operator): boolean {
  return operator === '<' || operator === '<=' || operator === '>' || operator === '>=';
}

function quantifierOf(operand: Operand): string | undefined {
  return 'quantifier' in operand ? operand.quantifier : undefined;
}

/** What is grammatical but means nothing. */
function checkComparison({ operator, left, right }: ComparisonNode): void {
  if (quantifierOf(left) && quantifierOf(right)) {
    throw new QueryError({
      position: right.position,
      expected: ['one of ANY, ALL, NONE in a comparison'],
      found: 'two',
    });
  }
  if (operator === 'in' && (right.kind === 'literal' || right.kind === 'aggregate')) {
    throw new QueryError({ position: right.position, expected: ['a list'], found: 'a single value' });
  }
  if (operator === 'like' && (right.kind === 'path' || right.kind === 'aggregate')) {
    throw new QueryError({ position: right.position, expected: ['a pattern', 'an argument'], found: 'a field' });
  }
}
