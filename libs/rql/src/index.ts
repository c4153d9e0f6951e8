export { bindQuery } from './bind.ts';
export type {
  AggregateField,
  BoundAnd,
  BoundBetween,
  BoundCompare,
  BoundConstant,
  BoundIn,
  BoundNode,
  BoundOr,
  BoundQuery,
  BoundText,
  BoundVisitor,
  Field,
  PathField,
  ValueOperand,
} from './bound-tree.ts';
export { canonical } from './canonical.ts';
export { and, FALSE_QUERY, TRUE_QUERY } from './combine.ts';
export { compareForSort } from './compare-values.ts';
export { compile, type Predicate } from './compile.ts';
export { foldCase } from './fold-case.ts';
export type { Json } from './json.ts';
export { type Equality, equalities, lookupKey, lookupKeys } from './lookup.ts';
export { type ParseOptions, parseQuery, type Query } from './parser.ts';
export { QueryError } from './query-error.ts';
export type { QueryValues } from './resolve-operand.ts';
export type {
  AggregateFunction,
  AggregateOperand,
  AndNode,
  ArgumentOperand,
  BetweenNode,
  ComparisonNode,
  ConstantNode,
  ConstantOperand,
  ListOperand,
  LiteralOperand,
  Node,
  NodeVisitor,
  NotNode,
  Operand,
  OrNode,
  PathOperand,
  Quantifier,
  RelationalOperator,
  TextOperator,
  UserOperand,
} from './tree.ts';
export { type Visitor, visit } from './visitor.ts';
