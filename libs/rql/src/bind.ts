import { decode } from './atom.ts';
import { bindComparison } from './bind-comparison.ts';
import type { BoundNode, BoundQuery } from './bound-tree.ts';
import { FALSE_NODE, TRUE_NODE } from './bound-tree.ts';
import { conjunction, disjunction, isNaNValue } from './combine.ts';
import { relate } from './compare-values.ts';
import type { Json } from './json.ts';
import { MAX_BOUND_VALUES } from './limits.ts';
import type { Query } from './parser.ts';
import { QueryError } from './query-error.ts';
import {
  type QueryValues,
  type Resolved,
  type ResolvedField,
  type ResolvedValues,
  resolveOperand,
} from './resolve-operand.ts';
import type { BetweenNode, ComparisonNode, Node } from './tree.ts';
import { type Visitor, visit } from './visitor.ts';

/**
 * Puts values in the place of `$n` and `$user.<claim>`; a value is never read as text. A comparison with a claim that
 * the user does not have matches nothing, under NOT and with `!=` too.
 *
 * @throws QueryError when an argument is missing, is no value, or is not what its place demands (a list after IN).
 */
export function bindQuery(query: Query, values: QueryValues = {}): BoundQuery {
  return { root: new Binder(values).bind(query.root, true) };
}

class Binder {
  private readonly given: QueryValues;
  private valueCount = 0;

  constructor(given: QueryValues) {
    this.given = given;
  }

  /** `positive` is false under an odd number of NOTs: the result then is the negation of the node. */
  bind(node: Node, positive: boolean): BoundNode {
    const all = (members: readonly Node[]): BoundNode[] => members.map((member) => this.bind(member, positive));
    const visitor: Visitor<Node, BoundNode> = {
      and: ({ members }) => (positive ? conjunction : disjunction)(all(members)),
      or: ({ members }) => (positive ? disjunction : conjunction)(all(members)),
      not: ({ member }) => this.bind(member, !positive),
      constant: ({ value }) => (value === positive ? TRUE_NODE : FALSE_NODE),
      comparison: (comparison) => this.bindComparison(comparison, positive),
      between: (between) => this.bindBetween(between, positive),
    };
    return visit(node, visitor);
  }

  private bindComparison(node: ComparisonNode, positive: boolean): BoundNode {
    const left = this.resolve(node.left, node);
    const right = this.resolve(node.right, node);
    if (left.kind === 'missing' || right.kind === 'missing') return FALSE_NODE;
    const isClaim = node.right.kind === 'user';
    if (node.operator === 'in' && right.kind === 'values' && !right.isList && !isClaim) {
      throw new QueryError({ position: node.right.position, expected: ['a list'], found: 'a single value' });
    }
    return bindComparison({ node, left, right, positive });
  }

  private bindBetween(node: BetweenNode, positive: boolean): BoundNode {
    const operand = this.resolve(node.operand, node);
    const range = this.resolve(node.range, node);
    if (operand.kind === 'missing' || range.kind !== 'values' || range.isPartial) return FALSE_NODE;
    const [low, high] = range.values;
    if (range.values.length !== 2 || low === undefined || high === undefined) {
      throw new QueryError({
        position: node.range.position,
        expected: ['a list of two values'],
        found: 'another value',
      });
    }
    const isEmpty = isNaNValue(low) || isNaNValue(high);
    if (operand.kind === 'values') return constant(isEmpty ? false : valuesBetween(operand, low, high), positive);
    return fieldBetween({ operand, low, high, positive });
  }

  private resolve(operand: ComparisonNode['left'], { position }: { position: number }): Resolved {
    const resolved = resolveOperand(operand, this.given);
    if (resolved.kind !== 'values') return resolved;
    this.valueCount += resolved.values.length;
    if (this.valueCount > MAX_BOUND_VALUES) {
      throw new QueryError({ position, found: `more than ${MAX_BOUND_VALUES} values in all lists together` });
    }
    return resolved;
  }
}

function constant(value: boolean, positive: boolean): BoundNode {
  return value === positive ? TRUE_NODE : FALSE_NODE;
}

function valuesBetween({ values, quantifier = 'any' }: ResolvedValues, low: Json, high: Json): boolean {
  const [from, to] = [decode(low), decode(high)];
  const isInside = (value: Json): boolean => relate('>=', decode(value), from) && relate('<=', decode(value), to);
  if (quantifier === 'all') return values.every(isInside);
  return values.some(isInside) === (quantifier === 'any');
}

function fieldBetween(parts: { operand: ResolvedField; low: Json; high: Json; positive: boolean }): BoundNode {
  const { operand, low, high, positive } = parts;
  const { field: left, quantifier = 'any' } = operand;
  const negated = positive === (quantifier === 'none');
  return { kind: 'between', left, low, high, quantifier: quantifier === 'all' ? 'all' : 'any', negated };
}
