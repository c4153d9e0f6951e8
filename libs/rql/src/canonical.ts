import type { BoundNode, BoundQuery } from './bound-tree.ts';

/**
 * A text that is the same for all ways of writing a query: spelling of words and operators, blanks, which side a literal stands on,
 * order and repetition of members and list values, arguments or literals. Different queries have different ones.
 */
export function canonical(query: BoundQuery): string {
  return canonicalText(query.root);
}

/** A node never changes, so neither does its text; composing queries asks for it again at every level. */
const TEXTS = new WeakMap<BoundNode, string>();

export function canonicalText(node: BoundNode): string {
  const text = TEXTS.get(node) ?? textOf(node);
  TEXTS.set(node, text);
  return text;
}

/** Values are in normal form and in order already. Nodes of a kind have the same fields: their order makes the names superfluous. */
function textOf(node: BoundNode): string {
  if ('members' in node) return `${node.kind}(${node.members.map(canonicalText).sort().join()})`;
  const fields = Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(fields.map(([, value]) => value));
}
