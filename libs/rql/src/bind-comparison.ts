import { type BoundCompare, type BoundNode, FALSE_NODE, TRUE_NODE, type ValueOperand } from './bound-tree.ts';
import { conjunction, disjunction, isNaNValue, membership } from './combine.ts';
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
export function bindComparison(comparison: Comparison): BoundNode {
  const { node, left, right, positive } = withoutNone(comparison);
  if (node.operator === 'like' && right.kind === 'values') checkPatterns(node, right.values);
  if (isPartial(left) || isPartial(right)) {
    // Members that are missing may be left out only where one more of them could only let more match.
    if (!positive || left.quantifier === 'all' || right.quantifier === 'all') return FALSE_NODE;
  }
  if (left.kind === 'field') {
    if (right.kind === 'field') return compareFields(node, { left, right, negated: !positive });
    return compareWithValues({ node, field: left, values: right, fieldIsLeft: true, positive });
  }
  if (right.kind === 'field') {
    return compareWithValues({ node, field: right, values: left, fieldIsLeft: false, positive });
  }
  return compareValues(node, left, right) === positive ? TRUE_NODE : FALSE_NODE;
}

/** A comparison has one quantifier at most, and it ranges outermost: NONE is the negation of ANY. */
function withoutNone({ node, left, right, positive }: Comparison): Comparison {
  const isNone = left.quantifier === 'none' || right.quantifier === 'none';
  const withAny = (side: Side): Side => (side.quantifier === 'none' ? { ...side, quantifier: 'any' } : side);
  return { node, left: withAny(left), right: withAny(right), positive: positive !== isNone };
}

function isPartial(side: Side): boolean {
  return side.kind === 'values' && side.isPartial;
}

function checkPatterns(node: ComparisonNode, patterns: readonly Json[]): void {
  if (patterns.every((pattern) => typeof pattern !== 'string' || pattern.length <= MAX_LIKE_PATTERN)) return;
  const found = `a pattern of more than ${MAX_LIKE_PATTERN} characters`;
  throw new QueryError({ position: node.right.position, found });
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
  readonly fieldIsLeft: boolean;
  readonly positive: boolean;
}

function compareWithValues(comparison: FieldWithValues): BoundNode {
  const { node, field, values, positive } = comparison;
  const needsEach = values.quantifier === 'all';
  if (!needsEach && relationOf(node) === '==') return equalsSome(comparison);
  if (!needsEach && values.isList && field.quantifier === 'all') {
    throw new QueryError({ position: node.right.position, expected: ['a single value'], found: 'a list' });
  }
  const leaves = values.values.map((value) => leaf(comparison, value));
  return needsEach === positive ? conjunction(leaves) : disjunction(leaves);
}

function rangeOf({ field, positive }: FieldWithValues): { quantifier: 'any' | 'all'; negated: boolean } {
  return { quantifier: field.quantifier === 'all' ? 'all' : 'any', negated: !positive };
}

function equalsSome(comparison: FieldWithValues): BoundNode {
  const { node, field, values } = comparison;
  const { caseInsensitive } = node;
  return membership({ kind: 'in', left: field.field, values: values.values, caseInsensitive, ...rangeOf(comparison) });
}

function leaf(comparison: FieldWithValues, value: Json): BoundNode {
  const { node, field, fieldIsLeft } = comparison;
  const operator = relationOf(node);
  const constant: ValueOperand = { kind: 'value', value };
  const { caseInsensitive } = node;
  const range = rangeOf(comparison);
  if (!isTextOperator(operator)) {
    const turned = fieldIsLeft ? operator : MIRRORED[operator];
    const isFolded = caseInsensitive && typeof value === 'string';
    return withoutNaN({
      kind: 'compare',
      operator: turned,
      left: field.field,
      right: constant,
      caseInsensitive: isFolded,
      ...range,
    });
  }
  if (typeof value !== 'string' && range.quantifier === 'any') return range.negated ? TRUE_NODE : FALSE_NODE;
  return fieldIsLeft
    ? { kind: 'text', operator, left: field.field, right: constant, over: 'left', caseInsensitive, ...range }
    : { kind: 'text', operator, left: constant, right: field.field, over: 'right', caseInsensitive, ...range };
}

/** No value is less than, equal to or greater than NaN, and every value differs from it. */
function withoutNaN(node: BoundCompare): BoundNode {
  if (node.right.kind !== 'value' || !isNaNValue(node.right.value)) return node;
  if (node.operator === '!=') return node.quantifier === 'all' ? constantNode(!node.negated) : node;
  return node.quantifier === 'any' ? constantNode(node.negated) : node;
}

function constantNode(value: boolean): BoundNode {
  return value ? TRUE_NODE : FALSE_NODE;
}

interface Fields {
  readonly left: ResolvedField;
  readonly right: ResolvedField;
  readonly negated: boolean;
}

function compareFields(node: ComparisonNode, { left, right, negated }: Fields): BoundNode {
  const operator = relationOf(node);
  const overRight = right.quantifier !== undefined;
  const isAll = left.quantifier === 'all' || right.quantifier === 'all';
  const common = { quantifier: isAll ? 'all' : 'any', negated, caseInsensitive: node.caseInsensitive } as const;
  if (isTextOperator(operator)) {
    const over = overRight && isAll ? 'right' : 'left';
    return { kind: 'text', operator, left: left.field, right: right.field, over, ...common };
  }
  const turned = isAll ? overRight : JSON.stringify(left.field) > JSON.stringify(right.field);
  if (!turned) return { kind: 'compare', operator, left: left.field, right: right.field, ...common };
  return { kind: 'compare', operator: MIRRORED[operator], left: right.field, right: left.field, ...common };
}
