import { atomKey, decode } from './atom.ts';
import {
  type BoundCompare,
  type BoundIn,
  type BoundNode,
  type BoundQuery,
  FALSE_NODE,
  TRUE_NODE,
  type ValueOperand,
} from './bound-tree.ts';
import { canonicalText } from './canonical.ts';
import type { Json } from './json.ts';

export const TRUE_QUERY: BoundQuery = Object.freeze({ root: TRUE_NODE });
export const FALSE_QUERY: BoundQuery = Object.freeze({ root: FALSE_NODE });

/** What matches all of the queries; of none of them: everything. */
export function and(...queries: BoundQuery[]): BoundQuery {
  return { root: conjunction(queries.map(({ root }) => root)) };
}

export function conjunction(nodes: readonly BoundNode[]): BoundNode {
  const flat = nodes.flatMap((node) => (node.kind === 'and' ? node.members : [node])).filter((node) => !isTrue(node));
  if (flat.some(isFalse)) return FALSE_NODE;
  const members = withoutRepeats(flat);
  const [first] = members;
  if (first === undefined) return TRUE_NODE;
  return members.length === 1 ? first : { kind: 'and', members };
}

/** Equalities with one field become one IN, which is quicker to test, to index and to compare with another query's. */
export function disjunction(nodes: readonly BoundNode[]): BoundNode {
  const flat = nodes.flatMap((node) => (node.kind === 'or' ? node.members : [node])).filter((node) => !isFalse(node));
  if (flat.some(isTrue)) return TRUE_NODE;
  const members = withoutRepeats(mergeEqualities(flat));
  const [first] = members;
  if (first === undefined) return FALSE_NODE;
  return members.length === 1 ? first : { kind: 'or', members };
}

function withoutRepeats(nodes: readonly BoundNode[]): readonly BoundNode[] {
  if (nodes.length < 2) return nodes;
  const seen = new Set<string>();
  return nodes.filter((node) => {
    const text = canonicalText(node);
    return !seen.has(text) && seen.add(text);
  });
}

/** `left IN values` in its simplest form: no duplicates, no NaN, in a fixed order, `==` for a single value. */
export function membership(node: BoundIn): BoundNode {
  const values = distinct(node.values);
  const { left, quantifier, negated } = node;
  const caseInsensitive = node.caseInsensitive && values.some((value) => typeof value === 'string');
  const [first] = values;
  if (first === undefined && quantifier === 'any') return negated ? TRUE_NODE : FALSE_NODE;
  if (first === undefined || values.length > 1) return { ...node, values, caseInsensitive };
  const right: ValueOperand = { kind: 'value', value: first };
  return { kind: 'compare', operator: '==', left, right, quantifier, negated, caseInsensitive };
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

function isTrue(node: BoundNode): boolean {
  return node.kind === 'constant' && node.value;
}

function isFalse(node: BoundNode): boolean {
  return node.kind === 'constant' && !node.value;
}

function mergeEqualities(members: readonly BoundNode[]): readonly BoundNode[] {
  const groups = new Map<string, BoundIn>();
  const others: BoundNode[] = [];
  for (const member of members) {
    const equality = equalityOf(member);
    if (!equality) {
      others.push(member);
      continue;
    }
    const key = JSON.stringify(equality.left);
    const known = groups.get(key);
    groups.set(key, known ? { ...known, values: [...known.values, ...equality.values] } : equality);
  }
  return [...[...groups.values()].map(membership), ...others];
}

/** The node as an IN that a document meets with some value of the field, if it is such a one. */
export function equalityOf(node: BoundNode): BoundIn | undefined {
  if (node.kind !== 'in' && node.kind !== 'compare') return undefined;
  if (node.negated || node.quantifier !== 'any' || node.caseInsensitive) return undefined;
  return node.kind === 'in' ? node : comparedEquality(node);
}

function comparedEquality({ left, operator, right }: BoundCompare): BoundIn | undefined {
  if (operator !== '==' || right.kind !== 'value') return undefined;
  return { kind: 'in', left, values: [right.value], quantifier: 'any', negated: false, caseInsensitive: false };
}
