import { encodeNumber } from './atom.ts';
import type { Json } from './json.ts';
import { MAX_DEPTH, MAX_LIST } from './limits.ts';
import { QueryError } from './query-error.ts';
import type { ArgumentToken } from './token.ts';
import type { TokenReader } from './token-reader.ts';
import type {
  AggregateFunction,
  ArgumentOperand,
  ConstantOperand,
  ListOperand,
  Operand,
  Quantifier,
  UserOperand,
} from './tree.ts';

export interface OperandOptions {
  readonly allowUser: boolean;
  /** Told of every placeholder that is met. */
  readonly seen: { argumentCount: number; usesUser: boolean };
}

const QUANTIFIERS: Readonly<Record<string, Quantifier>> = { any: 'any', some: 'any', all: 'all', none: 'none' };
const WORD_VALUES: Readonly<Record<string, Json>> = {
  true: true,
  false: false,
  null: null,
  nil: null,
  inf: encodeNumber(Number.POSITIVE_INFINITY),
  infinity: encodeNumber(Number.POSITIVE_INFINITY),
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
const RESERVED: ReadonlySet<string> = new Set([
  ...['not', 'and', 'or', 'truepredicate', 'falsepredicate', 'subquery'],
  ...Object.keys(QUANTIFIERS),
  ...Object.keys(WORD_VALUES),
]);
const AN_OPERAND = ['a field', 'a value'];
const A_CONSTANT = ['a value', 'an argument'];

export function parseOperand(reader: TokenReader, options: OperandOptions): Operand {
  const token = reader.peek();
  const quantifier =
    token.kind === 'name' && Object.hasOwn(QUANTIFIERS, token.word) ? QUANTIFIERS[token.word] : undefined;
  if (quantifier === undefined) return parseUnquantified(reader, options);
  reader.next();
  const operand = parseUnquantified(reader, options);
  if (operand.kind === 'literal' || operand.kind === 'aggregate') {
    throw new QueryError({ position: operand.position, expected: ['a field', 'a list'], found: 'a single value' });
  }
  return { ...operand, quantifier, position: token.position };
}

function parseUnquantified(reader: TokenReader, options: OperandOptions): Operand {
  if (reader.at('{')) return parseList(reader, options);
  return parseConstant(reader, options) ?? parsePath(reader);
}

function parseConstant(reader: TokenReader, options: OperandOptions): ConstantOperand | undefined {
  const token = reader.peek();
  if (token.kind === 'argument') return parseArgument(reader, options);
  if (reader.at('$user')) return parseUser(reader, options);
  if (token.kind === 'literal') {
    reader.next();
    return { kind: 'literal', value: token.value, position: token.position };
  }
  const value = token.kind === 'name' && Object.hasOwn(WORD_VALUES, token.word) ? WORD_VALUES[token.word] : undefined;
  if (value === undefined) return undefined;
  reader.next();
  return { kind: 'literal', value, position: token.position };
}

function parseArgument(reader: TokenReader, { seen }: OperandOptions): ArgumentOperand {
  const { index, position } = reader.next() as ArgumentToken;
  seen.argumentCount = Math.max(seen.argumentCount, index + 1);
  return { kind: 'argument', index, position };
}

function parseUser(reader: TokenReader, { allowUser, seen }: OperandOptions): UserOperand {
  const { position } = reader.peek();
  if (!allowUser) reader.fail([...AN_OPERAND, 'an argument ($user is for rules)']);
  reader.next();
  if (!reader.at('.')) reader.fail(['. and the name of a claim']);
  seen.usesUser = true;
  const path: string[] = [];
  while (reader.take('.')) path.push(parseName(reader, ['the name of a claim']));
  return { kind: 'user', path, position };
}

export function parseList(reader: TokenReader, options: OperandOptions): ListOperand {
  const { position } = reader.peek();
  if (!reader.take('{')) reader.fail(['{']);
  const items: ConstantOperand[] = [];
  if (reader.take('}')) return { kind: 'list', items, position };
  do {
    items.push(parseConstant(reader, options) ?? reader.fail(A_CONSTANT));
    if (items.length > MAX_LIST) throw new QueryError({ position, found: `a list of more than ${MAX_LIST} values` });
  } while (reader.take(','));
  if (!reader.take('}')) reader.fail([',', '}']);
  return { kind: 'list', items, position };
}

function parsePath(reader: TokenReader): Operand {
  const first = reader.peek();
  if (first.kind !== 'name') return reader.fail(AN_OPERAND);
  if (RESERVED.has(first.word)) return reader.fail(AN_OPERAND);
  const path = [parseName(reader, AN_OPERAND)];
  while (reader.take('.')) {
    const { kind } = reader.peek();
    if (kind === 'symbol') return parseAggregate(reader, { path, position: first.position });
    path.push(parseName(reader, ['a field', '@count', '@size', '@min', '@max', '@sum', '@avg']));
    checkLength(path, first.position);
  }
  return { kind: 'path', path, position: first.position };
}

function parseAggregate(reader: TokenReader, start: { path: string[]; position: number }): Operand {
  const { path, position } = start;
  const token = reader.peek();
  const known =
    token.kind === 'symbol' && Object.hasOwn(AGGREGATES, token.symbol) ? AGGREGATES[token.symbol] : undefined;
  if (known === undefined) return reader.fail(['a field', ...Object.keys(AGGREGATES)]);
  reader.next();
  while (known !== 'count' && reader.take('.')) path.push(parseName(reader, ['a field']));
  checkLength(path, position);
  return { kind: 'aggregate', path, aggregate: known, position };
}

function parseName(reader: TokenReader, expected: readonly string[]): string {
  const token = reader.peek();
  if (token.kind !== 'name') return reader.fail(expected);
  reader.next();
  return token.name;
}

function checkLength(path: readonly string[], position: number): void {
  if (path.length > MAX_DEPTH) throw new QueryError({ position, found: `a path of more than ${MAX_DEPTH} names` });
}
