import {
  type BoundCompare,
  type BoundNode,
  type BoundText,
  constantNode,
  type Field,
  type ValueOperand,
} from './bound-tree.ts';
import { isNaNValue, joined, membership } from './combine.ts';
import type { Json } from './json.ts';
import { MAX_LIKE_PATTERN } from './limits.ts';
import { QueryError } from './query-error.ts';
import type { ResolvedField, ResolvedValues } from './resolve-operand.ts';
import type { ComparisonNode, RelationalOperator, TextOperator } from './tree.ts';
import { isTextOperator, pairTest } from './value-test.ts';

type Side = ResolvedField | ResolvedValues;

interface Comparison {
  readonly node: ComparisonNode;
  readonly left: Side;
  readonly right: Side;
  /** False: the negation is wanted. */
  readonly positive: boolean;
}

const MIRRORED: Readonly<Record<RelationalOperator, RelationalOperator>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** Turns a comparison whose operands are known into leaves. */
export function bindComparison({ node, left, right, ...wanted }: Comparison): BoundNode {
  if (node.operator === 'like' && right.kind === 'values') checkPatterns(node, right.values);
  // A comparison has one quantifier at most, and it ranges outermost: NONE is the negation of ANY.
  const quantifier = left.quantifier ?? right.quantifier;
  const positive = wanted.positive !== (quantifier === 'none');
  // Members that are missing may be left out only where one more of them could only let more match.
  if ((isPartial(left) || isPartial(right)) && (!positive || quantifier === 'all')) return constantNode(false);
  if (left.kind === 'field') {
    if (right.kind === 'field') return compareFields(node, { left, right, negated: !positive });
    return compareWithValues({ node, field: left, values: right, over: 'left', positive });
  }
  if (right.kind === 'field') return compareWithValues({ node, field: right, values: left, over: 'right', positive });
  return constantNode(compareValues(node, left, right) === positive);
}

function isPartial(side: Side): boolean {
  return side.kind === 'values' && side.isPartial;
}

function checkPatterns(node: ComparisonNode, patterns: readonly Json[]): void {
  if (patterns.every((pattern) => typeof pattern !== 'string' || pattern.length <= MAX_LIKE_PATTERN)) return;
  throw new QueryError(node.right.position, `a pattern of more than ${MAX_LIKE_PATTERN} characters`);
}

function relationOf({ operator }: ComparisonNode): RelationalOperator | TextOperator {
  return operator === 'in' ? '==' : operator;
}

function compareValues(node: ComparisonNode, left: ResolvedValues, right: ResolvedValues): boolean {
  const test = pairTest({ operator: relationOf(node), caseInsensitive: node.caseInsensitive });
  if (right.quantifier === 'all') return right.values.every((b) => left.values.some((a) => test(a, b)));
  const meetsSome = (a: Json): boolean => right.values.some((b) => test(a, b));
  return left.quantifier === 'all' ? left.values.every(meetsSome) : left.values.some(meetsSome);
}

interface FieldWithValues {
  readonly node: ComparisonNode;
  readonly field: ResolvedField;
  readonly values: ResolvedValues;
  /** The side on which the field stands. */
  readonly over: 'left' | 'right';
  readonly positive: boolean;
}

function compareWithValues(comparison: FieldWithValues): BoundNode {
  const { node, field, values, positive } = comparison;
  const needsEach = values.quantifier === 'all';
  if (!needsEach && relationOf(node) === '==') {
    const { caseInsensitive } = node;
    return membership({
      kind: 'in',
      left: field.field,
      values: values.values,
      caseInsensitive,
      ...rangeOf(comparison),
    });
  }
  if (!needsEach && values.isList && field.quantifier === 'all') {
    throw new QueryError(node.right.position, 'a list', ['a single value']);
  }
  const leaves = values.values.map((value) => leaf(comparison, value));
  return joined(needsEach === positive ? 'and' : 'or', leaves);
}

function rangeOf({ field, positive }: FieldWithValues): { quantifier: 'any' | 'all'; negated: boolean } {
  return { quantifier: field.quantifier === 'all' ? 'all' : 'any', negated: !positive };
}

function leaf(comparison: FieldWithValues, value: Json): BoundNode {
  const { node, field, over } = comparison;
  const operator = relationOf(node);
  const range = rangeOf(comparison);
  // No value is less than, equal to or greater than NaN, and every value differs from it; text is in no other kind.
  const isOdd = isNaNValue(value) || (isTextOperator(operator) && typeof value !== 'string');
  if (isOdd && (operator === '!=') === (range.quantifier === 'all'))
    return constantNode((operator === '!=') !== range.negated);
  const caseInsensitive = node.caseInsensitive && typeof value === 'string';
  const constant: ValueOperand = { kind: 'value', value };
  const [left, right] = over === 'left' ? [field.field, constant] : [constant, field.field];
  return relation(operator, { left, right, over, caseInsensitive, ...range });
}

interface Fields {
  readonly left: ResolvedField;
  readonly right: ResolvedField;
  readonly negated: boolean;
}

function compareFields(node: ComparisonNode, { left, right, negated }: Fields): BoundNode {
  const operator = relationOf(node);
  const isAll = left.quantifier === 'all' || right.quantifier === 'all';
  // Where both orders mean the same there is one.
  const isTurned = !isAll && !isTextOperator(operator) && JSON.stringify(left.field) > JSON.stringify(right.field);
  const over = isTurned || (isAll && right.quantifier !== undefined) ? 'right' : 'left';
  return relation(operator, {
    left: left.field,
    right: right.field,
    over,
    quantifier: isAll ? 'all' : 'any',
    negated,
    caseInsensitive: node.caseInsensitive,
  });
}

/** As they are written; the quantifier ranges over the field on the side `over`. */
type Sides = Omit<BoundText, 'kind' | 'operator'>;

function relation(operator: RelationalOperator | TextOperator, sides: Sides): BoundCompare | BoundText {
  if (isTextOperator(operator)) return { kind: 'text', operator, ...sides };
  const { left, right, over, ...rest } = sides;
  return over === 'left'
    ? { kind: 'compare', operator, left: left as Field, right, ...rest }
    : { kind: 'compare', operator: MIRRORED[operator], left: right as Field, right: left, ...rest };
}
