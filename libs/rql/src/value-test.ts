import { type Atom, atomKey, decode } from './atom.ts';
import { compareStrings, holds, isOrderedByUnit, order, relate } from './compare-values.ts';
import { foldCase } from './fold-case.ts';
import type { Json } from './json.ts';
import { compileLike } from './like.ts';
import type { RelationalOperator, TextOperator } from './tree.ts';

/** Tests one value of a field; a missing field is undefined. */
export type ValueTest = (value: Json | undefined) => boolean;
export type PairTest = (left: Json | undefined, right: Json | undefined) => boolean;

export interface Relation {
  readonly operator: RelationalOperator | TextOperator;
  readonly caseInsensitive: boolean;
}

/** `value operator constant`, as quick as the constant's kind allows: it runs for every change. */
export function testAgainst({ operator, caseInsensitive }: Relation, constant: Json): ValueTest {
  if (isTextOperator(operator)) return textTest({ operator, caseInsensitive }, constant);
  if (caseInsensitive && typeof constant === 'string') return foldedEquality(operator, constant);
  if (operator === '==') return equalityTest(constant);
  if (operator === '!=') {
    const equals = equalityTest(constant);
    return (value) => !equals(value);
  }
  return orderTest(operator, constant);
}

/** `constant operator value`, for the operators that cannot be turned round. */
export function testTextIn(operator: TextOperator, constant: Json, caseInsensitive: boolean): ValueTest {
  const test = pairTest({ operator, caseInsensitive });
  return (value) => test(constant, value);
}

/** `left operator right` where neither is known beforehand. */
export function pairTest({ operator, caseInsensitive }: Relation): PairTest {
  const fold = caseInsensitive ? foldCase : unchanged;
  if (isTextOperator(operator)) {
    const test = TEXT_TESTS[operator];
    return (a, b) => typeof a === 'string' && typeof b === 'string' && test(fold(a), fold(b));
  }
  const decoded = (value: Json | undefined): Atom => decode(typeof value === 'string' ? fold(value) : value);
  return (a, b) => relate(operator, decoded(a), decoded(b));
}

/** Equal to one of the constants. */
export function testAmong(constants: readonly Json[], caseInsensitive: boolean): ValueTest {
  const fold = caseInsensitive ? foldCase : unchanged;
  const strings = new Set(constants.filter((value) => typeof value === 'string').map(fold));
  const keys = new Set(constants.filter((value) => typeof value !== 'string').map((value) => atomKey(decode(value))));
  return (value) => {
    if (typeof value === 'string') return strings.has(fold(value));
    return keys.size > 0 && keys.has(atomKey(decode(value)));
  };
}

/** `low <= value && value <= high`. */
export function testWithin(low: Json, high: Json): ValueTest {
  const aboveLow = orderTest('>=', low);
  const belowHigh = orderTest('<=', high);
  return (value) => aboveLow(value) && belowHigh(value);
}

const TEXT_TESTS: Readonly<Record<TextOperator, (text: string, part: string) => boolean>> = {
  beginsWith: (text, part) => text.startsWith(part),
  endsWith: (text, part) => text.endsWith(part),
  contains: (text, part) => text.includes(part),
  like: (text, pattern) => compileLike(pattern)(text),
};

export function isTextOperator(operator: Relation['operator']): operator is TextOperator {
  return Object.hasOwn(TEXT_TESTS, operator);
}

function never(): boolean {
  return false;
}

function unchanged(text: string): string {
  return text;
}

function textTest(
  { operator, caseInsensitive }: { operator: TextOperator; caseInsensitive: boolean },
  constant: Json,
): ValueTest {
  if (typeof constant !== 'string') return never;
  const part = caseInsensitive ? foldCase(constant) : constant;
  const like = operator === 'like' ? compileLike(part) : undefined;
  const test = like ?? ((text: string) => TEXT_TESTS[operator](text, part));
  if (!caseInsensitive) return (value) => typeof value === 'string' && test(value);
  return (value) => typeof value === 'string' && test(foldCase(value));
}

function foldedEquality(operator: RelationalOperator, constant: string): ValueTest {
  const wanted = foldCase(constant);
  const isEqual = operator === '==';
  return (value) => (typeof value === 'string' && foldCase(value) === wanted) === isEqual;
}

function equalityTest(constant: Json): ValueTest {
  if (constant === null) return (value) => value === undefined || value === null;
  if (typeof constant === 'string' || typeof constant === 'boolean') return (value) => value === constant;
  const atom = decode(constant);
  const isObject = (value: Json | undefined): boolean => typeof value === 'object' && value !== null;
  if (typeof constant === 'number') {
    return (value) => value === constant || (isObject(value) && relate('==', decode(value), atom));
  }
  if (atom.kind === 'number') return (value) => relate('==', decode(value), atom);
  return (value) => isObject(value) && relate('==', decode(value), atom);
}

type Ordering = '<' | '<=' | '>' | '>=';

function orderTest(operator: Ordering, constant: Json): ValueTest {
  if (typeof constant === 'string') return stringOrder(operator, constant);
  const atom = decode(constant);
  if (typeof constant !== 'number') return (value) => holds(operator, order(decode(value), atom));
  return (value) => {
    if (typeof value === 'number') return holdsForNumbers(operator, value, constant);
    return typeof value === 'object' && value !== null && holds(operator, order(decode(value), atom));
  };
}

function holdsForNumbers(operator: Ordering, value: number, constant: number): boolean {
  if (operator === '<') return value < constant;
  if (operator === '<=') return value <= constant;
  return operator === '>' ? value > constant : value >= constant;
}

function stringOrder(operator: Ordering, constant: string): ValueTest {
  const isSimple = isOrderedByUnit(constant);
  const compare = isSimple ? compareByUnit : compareStrings;
  return (value) => typeof value === 'string' && holds(operator, compare(value, constant));
}

function compareByUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
