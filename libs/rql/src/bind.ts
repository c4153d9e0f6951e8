import { bindComparison } from './bind-comparison.ts';
import { type BoundNode, type BoundQuery, constantNode } from './bound-tree.ts';
import { joined } from './combine.ts';
import { MAX_BOUND_VALUES } from './limits.ts';
import type { Query } from './parser.ts';
import { QueryError } from './query-error.ts';
import { type QueryValues, type Resolved, resolveOperand } from './resolve-operand.ts';
import type { BetweenNode, ComparisonNode, Node } from './tree.ts';
import { testWithin } from './value-test.ts';
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
  readonly #given: QueryValues;
  #valueCount = 0;

  constructor(given: QueryValues) {
    this.#given = given;
  }

  /** `positive` is false under an odd number of NOTs: the result then is the negation of the node. */
  bind(node: Node, positive: boolean): BoundNode {
    const join = (isAnd: boolean, members: readonly Node[]): BoundNode =>
      joined(
        isAnd ? 'and' : 'or',
        members.map((member) => this.bind(member, positive)),
      );
    const visitor: Visitor<Node, BoundNode> = {
      and: ({ members }) => join(positive, members),
      or: ({ members }) => join(!positive, members),
      not: ({ member }) => this.bind(member, !positive),
      constant: ({ value }) => constantNode(value === positive),
      comparison: (comparison) => this.#comparison(comparison, positive),
      between: (between) => this.#between(between, positive),
    };
    return visit(node, visitor);
  }

  #comparison(node: ComparisonNode, positive: boolean): BoundNode {
    const left = this.#resolve(node.left, node);
    const right = this.#resolve(node.right, node);
    if (!left || !right) return constantNode(false);
    const isClaim = node.right.kind === 'user';
    if (node.operator === 'in' && right.kind === 'values' && !right.isList && !isClaim) {
      throw new QueryError(node.right.position, 'a single value', ['a list']);
    }
    return bindComparison({ node, left, right, positive });
  }

  #between(node: BetweenNode, positive: boolean): BoundNode {
    const operand = this.#resolve(node.operand, node);
    const range = this.#resolve(node.range, node);
    if (!operand || range?.kind !== 'values' || range.isPartial) return constantNode(false);
    const [low, high] = range.values;
    if (range.values.length !== 2 || low === undefined || high === undefined) {
      throw new QueryError(node.range.position, 'another value', ['a list of two values']);
    }
    const { quantifier: written } = operand;
    const quantifier = written === 'all' ? 'all' : 'any';
    const negated = positive === (written === 'none');
    if (operand.kind === 'field') return { kind: 'between', left: operand.field, low, high, quantifier, negated };
    const isInside = testWithin(low, high);
    const { values } = operand;
    return constantNode((quantifier === 'all' ? values.every(isInside) : values.some(isInside)) !== negated);
  }

  #resolve(operand: ComparisonNode['left'], { position }: { position: number }): Resolved | undefined {
    const resolved = resolveOperand(operand, this.#given);
    if (resolved?.kind !== 'values') return resolved;
    this.#valueCount += resolved.values.length;
    if (this.#valueCount > MAX_BOUND_VALUES) {
      throw new QueryError(position, `more than ${MAX_BOUND_VALUES} values in all lists together`);
    }
    return resolved;
  }
}
