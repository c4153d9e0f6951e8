import { isTypedValue, type JsonObject } from '@tidemark/protocol';
import type { BoundBetween, BoundCompare, BoundIn, BoundText, Json } from '@tidemark/rql';
import { StoreError } from '../store-error.ts';
import { type BsonValue, toBson } from './bson-values.ts';
import { textPattern, wholeTextPattern } from './text-patterns.ts';

export type Operators = Readonly<Record<string, BsonValue>>;

/** A test of one value that is no list, in operators of MongoDB. */
export interface ValueTest {
  readonly operators: Operators;
  /** One operator that asks for something; two of them; one that asks for the absence of something. */
  readonly shape: 'single' | 'pair' | 'absence';
  /** False when other values meet the operators too. */
  readonly exact: boolean;
  /** Null and missing meet it. */
  readonly meetsNull: boolean;
}

/** Stands for a test that MongoDB cannot make. */
export const anything = 'anything';

type Test = ValueTest | typeof anything;

const never: ValueTest = { operators: { $in: [] }, shape: 'single', exact: true, meetsNull: false };
const isNull: ValueTest = { operators: { $eq: null }, shape: 'single', exact: true, meetsNull: true };

/** The test that a leaf makes of each value of the path on its left. */
export function testOf(node: BoundCompare | BoundIn | BoundBetween | BoundText): Test {
  try {
    if (node.kind === 'compare') return compareTest(node);
    if (node.kind === 'in') return inTest(node);
    return node.kind === 'between' ? betweenTest(node) : textTest(node);
  } catch (error) {
    // A value that BSON cannot hold, such as a decimal of 40 digits.
    if (StoreError.is(error, 'invalid')) return anything;
    throw error;
  }
}

type Kind = 'null' | 'boolean' | 'number' | 'nan' | 'string' | 'date' | 'oid' | 'uuid' | 'unordered';

const typedKinds: Readonly<Record<string, Kind>> = {
  $numberLong: 'number',
  $numberDecimal: 'number',
  $numberDouble: 'number',
  $date: 'date',
  $oid: 'oid',
  $uuid: 'uuid',
};

/** Binary data and embedded documents have no order in queries. */
function kindOf(value: Json): Kind {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value as 'boolean' | 'number' | 'string';
  const [type = '', content] = Object.entries(value)[0] ?? [];
  return content === 'NaN' && type.startsWith('$number') ? 'nan' : (typedKinds[type] ?? 'unordered');
}

function compareTest({ operator, right, caseInsensitive }: BoundCompare): Test {
  if (right.kind !== 'value') return anything;
  const { value } = right;
  if (!isStorable(value)) return anything;
  if (operator === '==') return equalTest(value, caseInsensitive);
  if (operator === '!=') return differentTest(value, caseInsensitive);
  const kind = kindOf(value);
  if (kind === 'null') return operator === '<=' || operator === '>=' ? isNull : never;
  if (kind === 'nan' || kind === 'unordered') return never;
  const bound = { [orderOperators[operator]]: toBson(value) };
  return { operators: bound, shape: 'single', exact: isOrderExact(kind), meetsNull: false };
}

/** MongoDB orders UUIDs among all binary data. */
const isOrderExact = (kind: Kind) => kind !== 'uuid';

const orderOperators = { '<': '$lt', '<=': '$lte', '>': '$gt', '>=': '$gte' } as const;

function equalTest(value: Json, caseInsensitive: boolean): Test {
  const kind = kindOf(value);
  if (kind === 'null') return isNull;
  if (kind === 'nan') return never;
  if (typeof value === 'string' && caseInsensitive) {
    return { operators: { $regex: wholeTextPattern(value) }, shape: 'single', exact: false, meetsNull: false };
  }
  return { operators: { $eq: toBson(value) }, shape: 'single', exact: kind !== 'unordered', meetsNull: false };
}

function differentTest(value: Json, caseInsensitive: boolean): Test {
  const kind = kindOf(value);
  if (kind === 'nan' || kind === 'unordered' || (caseInsensitive && kind === 'string')) return anything;
  return { operators: { $ne: toBson(value) }, shape: 'absence', exact: true, meetsNull: kind !== 'null' };
}

function betweenTest({ low, high }: BoundBetween): Test {
  const kind = kindOf(low);
  if (kind !== kindOf(high) || kind === 'nan' || kind === 'unordered') return never;
  if (kind === 'null') return isNull;
  if (!isStorable(low) || !isStorable(high)) return anything;
  return {
    operators: { $gte: toBson(low), $lte: toBson(high) },
    shape: 'pair',
    exact: isOrderExact(kind),
    meetsNull: false,
  };
}

/** More patterns than this in one filter cost more than they save. */
const maxPatterns = 50;

function inTest({ values, caseInsensitive }: BoundIn): Test {
  if (!values.every(isStorable)) return anything;
  const texts = caseInsensitive ? values.filter((value) => typeof value === 'string') : [];
  if (texts.length > maxPatterns) return anything;
  const others = caseInsensitive ? values.filter((value) => typeof value !== 'string') : values;
  const exact = texts.length === 0 && others.every((value) => kindOf(value) !== 'unordered');
  const operators = { $in: [...others.map(toBson), ...texts.map(wholeTextPattern)] };
  return { operators, shape: 'single', exact, meetsNull: values.includes(null) };
}

function textTest({ operator, right, caseInsensitive }: BoundText): Test {
  if (right.kind !== 'value') return anything;
  if (typeof right.value !== 'string') return never;
  if (!isStorable(right.value)) return anything;
  const { pattern, exact } = textPattern(operator, right.value, caseInsensitive);
  return { operators: { $regex: pattern }, shape: 'single', exact, meetsNull: false };
}

/**
 * Half a surrogate pair has no UTF-8: the driver would look for something else. Numbers of queries can have more digits
 * than those of documents.
 */
function isStorable(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return JSON.stringify(value).isWellFormed() && (kindOf(value) === 'unordered' || isTypedValue(value as JsonObject));
}
