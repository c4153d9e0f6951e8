import { encodeNumber } from './atom.ts';
import type { Json } from './json.ts';
import { MAX_DEPTH, MAX_LIST } from './limits.ts';
import { QueryError } from './query-error.ts';
import type { TokenReader } from './token-reader.ts';
import type { AggregateFunction, ConstantOperand, ListOperand, Operand, Quantifier, UserOperand } from './tree.ts';

const QUANTIFIERS: Readonly<Record<string, Quantifier>> = { any: 'any', some: 'any', all: 'all', none: 'none' };
const INFINITY = encodeNumber(Number.POSITIVE_INFINITY);
const WORD_VALUES: Readonly<Record<string, Json>> = {
  true: true,
  false: false,
  null: null,
  nil: null,
  inf: INFINITY,
  infinity: INFINITY,
  nan: encodeNumber(Number.NaN),
};
const AGGREGATES: Readonly<Record<string, AggregateFunction>> = {
  '@count': 'count',
  '@size': 'count',
  '@min': 'min',
  '@max': 'max',
  '@sum': 'sum',
  '@avg': 'avg',
};
/** Words that cannot begin a path; besides those of values, which are taken before. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['not', 'and', 'or', 'truepredicate', 'falsepredicate', 'subquery'],
  ...Object.keys(QUANTIFIERS),
]);
const AN_OPERAND = ['a field', 'a value'];

export function parseOperand(reader: TokenReader): Operand {
  const { position } = reader.peek();
  const quantifier = reader.takeOf(QUANTIFIERS);
  const operand = reader.at('{') ? parseList(reader) : (parseConstant(reader) ?? parsePath(reader));
  if (quantifier === undefined) return operand;
  if (operand.kind === 'literal' || operand.kind === 'aggregate') {
    throw new QueryError(operand.position, 'a single value', ['a field', 'a list']);
  }
  return { ...operand, quantifier, position };
}

function parseConstant(reader: TokenReader): ConstantOperand | undefined {
  const { position, argument, value: literal } = reader.peek();
  if (argument !== undefined) {
    reader.next();
    reader.argumentCount = Math.max(reader.argumentCount, argument + 1);
    return { kind: 'argument', index: argument, position };
  }
  if (reader.at('$user')) return parseUser(reader);
  const value = literal === undefined ? reader.takeOf(WORD_VALUES) : literal;
  if (literal !== undefined) reader.next();
  return value === undefined ? undefined : { kind: 'literal', value, position };
}

function parseUser(reader: TokenReader): UserOperand {
  const { position } = reader.peek();
  if (!reader.allowUser) reader.fail([...AN_OPERAND, 'an argument ($user is for rules)']);
  reader.next();
  if (!reader.at('.')) reader.fail(['. and the name of a claim']);
  reader.usesUser = true;
  const path: string[] = [];
  while (reader.take('.')) path.push(parseName(reader, ['the name of a claim']));
  return { kind: 'user', path, position };
}

export function parseList(reader: TokenReader): ListOperand {
  const { position } = reader.peek();
  const items: ConstantOperand[] = [];
  if (!reader.take('{')) reader.fail(['{']);
  if (reader.take('}')) return { kind: 'list', items, position };
  do {
    items.push(parseConstant(reader) ?? reader.fail(['a value', 'an argument']));
    if (items.length > MAX_LIST) throw new QueryError(position, `a list of more than ${MAX_LIST} values`);
  } while (reader.take(','));
  if (!reader.take('}')) reader.fail([',', '}']);
  return { kind: 'list', items, position };
}

function parsePath(reader: TokenReader): Operand {
  const { position, word } = reader.peek();
  if (RESERVED.has(word)) return reader.fail(AN_OPERAND);
  const path = [parseName(reader, AN_OPERAND)];
  let aggregate: AggregateFunction | undefined;
  while (aggregate !== 'count' && reader.take('.')) {
    const functions = aggregate === undefined ? AGGREGATES : {};
    const found = reader.takeOf(functions);
    if (found === undefined) path.push(parseName(reader, ['a field', ...Object.keys(functions)]));
    aggregate ??= found;
    if (path.length > MAX_DEPTH) throw new QueryError(position, `a path of more than ${MAX_DEPTH} names`);
  }
  return aggregate === undefined ? { kind: 'path', path, position } : { kind: 'aggregate', path, aggregate, position };
}

function parseName(reader: TokenReader, expected: readonly string[]): string {
  const { name } = reader.peek();
  if (name === undefined) return reader.fail(expected);
  reader.next();
  return name;
}
