import type { Json } from './json.ts';
import type { Visitor } from './visitor.ts';

/**
 * The tree of a parsed query: what was written, placeholders included. It is immutable, knows no documents and no
 * arguments; `bindQuery` turns it into a {@link BoundNode} tree, which is what filters are made from.
 */
export type Node = AndNode | OrNode | NotNode | ConstantNode | ComparisonNode | BetweenNode;
export type NodeVisitor<R> = Visitor<Node, R>;

export interface AndNode {
  readonly kind: 'and';
  readonly members: readonly Node[];
}

export interface OrNode {
  readonly kind: 'or';
  readonly members: readonly Node[];
}

export interface NotNode {
  readonly kind: 'not';
  readonly member: Node;
}

/** TRUEPREDICATE and FALSEPREDICATE. */
export interface ConstantNode {
  readonly kind: 'constant';
  readonly value: boolean;
}

export interface ComparisonNode {
  readonly kind: 'comparison';
  readonly operator: RelationalOperator | TextOperator | 'in';
  readonly left: Operand;
  readonly right: Operand;
  /** `[c]`; never with `<  <=  >  >=`. */
  readonly caseInsensitive: boolean;
  readonly position: number;
}

/** `operand BETWEEN {low, high}`, both ends included. `range` is a list of two, or a placeholder for one. */
export interface BetweenNode {
  readonly kind: 'between';
  readonly operand: Operand;
  readonly range: ListOperand | ArgumentOperand;
  readonly position: number;
}

export type RelationalOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type TextOperator = 'beginsWith' | 'endsWith' | 'contains' | 'like';
/** ANY (also SOME), ALL, NONE as written; without one, a comparison with a list means ANY. */
export type Quantifier = 'any' | 'all' | 'none';
export type AggregateFunction = 'count' | 'min' | 'max' | 'sum' | 'avg';

export type Operand = PathOperand | AggregateOperand | ConstantOperand | ListOperand;
export type ConstantOperand = LiteralOperand | ArgumentOperand | UserOperand;

interface Placed {
  /** 1-based column of the operand's first character. */
  readonly position: number;
}

interface Quantifiable extends Placed {
  readonly quantifier?: Quantifier;
}

/** A field; several names lead into embedded documents and lists of them. */
export interface PathOperand extends Quantifiable {
  readonly kind: 'path';
  readonly path: readonly string[];
}

/** `items.price.@max` and `items.@max.price` are one: the function over all values found under the path. */
export interface AggregateOperand extends Placed {
  readonly kind: 'aggregate';
  readonly path: readonly string[];
  readonly aggregate: AggregateFunction;
}

/** A value written in the text, in the normal form of `normalize`. Never a list. */
export interface LiteralOperand extends Placed {
  readonly kind: 'literal';
  readonly value: Json;
}

/** `$0` … `$255`. */
export interface ArgumentOperand extends Quantifiable {
  readonly kind: 'argument';
  readonly index: number;
}

/** `$user.<claim>`, dotted for claims inside claims. */
export interface UserOperand extends Quantifiable {
  readonly kind: 'user';
  readonly path: readonly string[];
}

export interface ListOperand extends Quantifiable {
  readonly kind: 'list';
  readonly items: readonly ConstantOperand[];
}
