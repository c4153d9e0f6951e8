import { type Node, type NodeVisitor, type Operand, visit } from '@tidemark/rql';

/** The claims that a query mentions, by their first name: `$user.org.id` uses `org`. */
export function usedClaims(root: Node): ReadonlySet<string> {
  const names = new Set<string>();
  collect(root, names);
  return names;
}

function collect(node: Node, names: Set<string>): void {
  const all = ({ members }: { readonly members: readonly Node[] }) => {
    for (const member of members) collect(member, names);
  };
  const visitor: NodeVisitor<void> = {
    and: all,
    or: all,
    not: ({ member }) => collect(member, names),
    constant: () => undefined,
    comparison: ({ left, right }) => collectOperands([left, right], names),
    between: ({ operand, range }) => collectOperands([operand, range], names),
  };
  visit(node, visitor);
}

function collectOperands(operands: readonly Operand[], names: Set<string>): void {
  for (const operand of operands) {
    if (operand.kind === 'list') collectOperands(operand.items, names);
    else if (operand.kind === 'user' && operand.path[0] !== undefined) names.add(operand.path[0]);
  }
}
