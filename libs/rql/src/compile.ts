import { compileAggregate } from './aggregates.ts';
import type { BoundCompare, BoundNode, BoundQuery, BoundText, BoundVisitor, Field } from './bound-tree.ts';
import { compilePath, type Document, type ExistsUnder } from './paths.ts';
import { type PairTest, pairTest, testAgainst, testAmong, testWithin, type ValueTest } from './value-test.ts';
import { visit } from './visitor.ts';

/** Whether a document matches. Pure, allocates nothing for common filters, never throws. */
export type Predicate = (document: Document) => boolean;

/** Compiles a query to closures; all that can be decided without a document is decided here, once. */
export function compile(query: BoundQuery): Predicate {
  return compileNode(query.root);
}

function compileNode(node: BoundNode): Predicate {
  return visit(node, COMPILERS);
}

const COMPILERS: BoundVisitor<Predicate> = {
  and: ({ members }) => decidedBy(false, members.map(compileNode)),
  or: ({ members }) => decidedBy(true, members.map(compileNode)),
  constant:
    ({ value }) =>
    () =>
      value,
  compare: compileRelation,
  in: (node) => overField(node, node.left, testAmong(node.values, node.caseInsensitive)),
  between: (node) => overField(node, node.left, testWithin(node.low, node.high)),
  text: compileRelation,
};

/** The first predicate with this result decides; without one it is the other. */
function decidedBy(result: boolean, predicates: readonly Predicate[]): Predicate {
  return (document) => {
    for (const predicate of predicates) if (predicate(document) === result) return result;
    return !result;
  };
}

interface Quantified {
  readonly quantifier: 'any' | 'all';
  readonly negated: boolean;
}

/** ALL is "there is none that fails". */
function overField({ quantifier, negated }: Quantified, field: Field, test: ValueTest): Predicate {
  const exists = existsUnder(field);
  const isAll = quantifier === 'all';
  const sought: ValueTest = isAll ? (value) => !test(value) : test;
  return isAll === negated ? (document) => exists(document, sought) : (document) => !exists(document, sought);
}

interface Pair {
  readonly outer: Field;
  readonly inner: Field;
  readonly test: PairTest;
}

function overPairs({ quantifier, negated }: Quantified, { outer, inner, test }: Pair): Predicate {
  const existsOuter = existsUnder(outer);
  const existsInner = existsUnder(inner);
  const wanted = quantifier === 'any';
  return (document) => {
    const meets: ValueTest = (a) => existsInner(document, (b) => test(a, b)) === wanted;
    return (existsOuter(document, meets) === wanted) !== negated;
  };
}

function existsUnder(field: Field): ExistsUnder {
  if (field.kind === 'path') return compilePath(field.path);
  const compute = compileAggregate(field.path, field.aggregate);
  return (document, test) => test(compute(document));
}

function compileRelation(node: BoundCompare | BoundText): Predicate {
  const { left, right } = node;
  const test = pairTest(node);
  // One of the sides is a field.
  if (left.kind === 'value') return overField(node, right as Field, (value) => test(left.value, value));
  if (right.kind === 'value') return overField(node, left, testAgainst(node, right.value));
  const isTurned = 'over' in node && node.over === 'right';
  if (isTurned) return overPairs(node, { outer: right, inner: left, test: (b, a) => test(a, b) });
  return overPairs(node, { outer: left, inner: right, test });
}
