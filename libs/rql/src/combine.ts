import { atomKey, decode } from './atom.ts';
import { type BoundIn, type BoundNode, type BoundQuery, constantNode, FALSE_NODE, TRUE_NODE } from './bound-tree.ts';
import { canonicalText } from './canonical.ts';
import type { Json } from './json.ts';

export const TRUE_QUERY: BoundQuery = { root: TRUE_NODE };
export const FALSE_QUERY: BoundQuery = { root: FALSE_NODE };

/** What matches all of the queries; of none of them: everything. */
export function and(...queries: BoundQuery[]): BoundQuery {
  return {
    root: joined(
      'and',
      queries.map(({ root }) => root),
    ),
  };
}

/**
 * What matches all (`and`) or some (`or`) of the nodes, in its simplest form. Equalities with one field become one IN, which is
 * quicker to test, to index and to compare with another query's.
 */
export function joined(kind: 'and' | 'or', nodes: readonly BoundNode[]): BoundNode {
  const neutral = constantNode(kind === 'and');
  const decisive = constantNode(kind === 'or');
  const flat = nodes.flatMap((node) => (node.kind === kind ? node.members : [node])).filter((node) => node !== neutral);
  if (flat.includes(decisive)) return decisive;
  const merged = kind === 'or' ? mergeEqualities(flat) : flat;
  const members = [...new Map(merged.map((node) => [canonicalText(node), node])).values()];
  const [first = neutral] = members;
  return members.length < 2 ? first : { kind, members };
}

/** `left IN values` in its simplest form: no duplicates, no NaN, in a fixed order, `==` for a single value. */
export function membership(node: BoundIn): BoundNode {
  const { values: given, ...rest } = node;
  const values = distinct(given);
  const caseInsensitive = node.caseInsensitive && values.some((value) => typeof value === 'string');
  const [first] = values;
  if (first === undefined && node.quantifier === 'any') return constantNode(node.negated);
  if (first === undefined || values.length > 1) return { ...rest, values, caseInsensitive };
  return { ...rest, kind: 'compare', operator: '==', right: { kind: 'value', value: first }, caseInsensitive };
}

function distinct(values: readonly Json[]): readonly Json[] {
  const unique = new Map<string, Json>();
  for (const value of values) if (!isNaNValue(value)) unique.set(atomKey(decode(value)), value);
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

export function isNaNValue(value: Json): boolean {
  const atom = decode(value);
  return atom.kind === 'number' && Number.isNaN(atom.value);
}

function mergeEqualities(members: readonly BoundNode[]): readonly BoundNode[] {
  const groups = new Map<string, BoundIn>();
  const others = members.filter((member) => {
    const equality = equalityOf(member);
    if (!equality) return true;
    const key = JSON.stringify(equality.left);
    groups.set(key, { ...equality, values: [...(groups.get(key)?.values ?? []), ...equality.values] });
    return false;
  });
  return [...[...groups.values()].map(membership), ...others];
}

/** The node as an IN that a document meets with some value of the field, if it is such a one. */
export function equalityOf(node: BoundNode): BoundIn | undefined {
  if (node.kind !== 'in' && node.kind !== 'compare') return undefined;
  if (node.negated || node.quantifier !== 'any' || node.caseInsensitive) return undefined;
  if (node.kind === 'in') return node;
  const { operator, right, ...rest } = node;
  return operator === '==' && right.kind === 'value' ? { ...rest, kind: 'in', values: [right.value] } : undefined;
}
