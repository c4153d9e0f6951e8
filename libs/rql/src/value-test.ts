import { atomKey, decode } from './atom.ts';
import { areEqual, compareStrings, type Ordering, order, satisfies } from './compare-values.ts';
import { compareExact } from './decimal.ts';
import { foldCase } from './fold-case.ts';
import type { Json } from './json.ts';
import { compileLike, type TextTest } from './like.ts';
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
  if (operator !== '==' && operator !== '!=') return orderTest(operator, constant);
  const folds = caseInsensitive && typeof constant === 'string';
  const equals = folds ? testAmong([constant], true) : equalityTest(constant);
  return operator === '==' ? equals : (value) => !equals(value);
}

/** `left operator right` where neither is known beforehand. */
export function pairTest(relation: Relation): PairTest {
  return (left, right = null) => testAgainst(relation, right)(left);
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

/** By what the text is compared with. */
const TEXT_TESTS: Readonly<Record<TextOperator, (part: string) => TextTest>> = {
  beginsWith: (part) => (text) => text.startsWith(part),
  endsWith: (part) => (text) => text.endsWith(part),
  contains: (part) => (text) => text.includes(part),
  like: compileLike,
};

export function isTextOperator(operator: Relation['operator']): operator is TextOperator {
  return Object.hasOwn(TEXT_TESTS, operator);
}

function unchanged(text: string): string {
  return text;
}

function textTest(
  { operator, caseInsensitive }: { operator: TextOperator; caseInsensitive: boolean },
  constant: Json,
): ValueTest {
  if (typeof constant !== 'string') return () => false;
  const fold = caseInsensitive ? foldCase : unchanged;
  const test = TEXT_TESTS[operator](fold(constant));
  return (value) => typeof value === 'string' && test(fold(value));
}

/** Only a typed value, a list, a document or null may be equal to something that looks different. */
function equalityTest(constant: Json): ValueTest {
  const atom = decode(constant);
  const isPlain = typeof constant !== 'object';
  return (value) => (isPlain && typeof value !== 'object' ? value === constant : areEqual(decode(value), atom));
}

function orderTest(operator: Ordering, constant: Json): ValueTest {
  const atom = decode(constant);
  const holds = satisfies(operator);
  return (value) => {
    if (typeof value === 'number' && typeof constant === 'number') return holds(compareExact(value, constant));
    if (typeof value === 'string' && typeof constant === 'string') return holds(compareStrings(value, constant));
    return holds(order(decode(value), atom));
  };
}
