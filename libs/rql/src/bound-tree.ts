import type { Json } from './json.ts';
import type { AggregateFunction, RelationalOperator, TextOperator } from './tree.ts';
import type { Visitor } from './visitor.ts';

/**
 * The tree that filters are compiled from. Guaranteed, so that a compiler need not care:
 *
 * - No placeholders. Every value is in the normal form of `normalize` (a number that a double holds is a plain number,
 *   `{$date}` is an ISO string, hex is lower case) and is never a list; embedded documents are possible.
 * - No NOT above a leaf: negations are pushed down to `negated` of the leaves, AND and OR are swapped accordingly.
 * - `and` and `or` have at least two members, none of their own kind, no two equal, none constant: a constant is only
 *   ever the root. An `or` has at most one equality (`==` or `in`, any, not negated) for each field.
 * - A literal stands on the right (`5 < a` is `a > 5`), except in `text`, whose operators cannot be turned round.
 *
 * How a leaf is evaluated. A field yields values: of a list each element, of a path through a list of documents the
 * value in each of them (elements that are not documents yield nothing), of anything else that one value; a missing
 * field is one null. A list that is an element of a list is one value; it is not opened. An aggregate is one value.
 * The leaf holds when ANY (some) or ALL (every; true for an empty list) of the values of the quantified side meet the
 * test, the other side, if it is a field too, meaning "some value of it"; then `negated` turns the result round.
 *
 * How two values are tested. Kinds are null, boolean, number (all BSON number types are one kind), string, date, oid,
 * uuid (also binary of subtype 4), binary, document, list. `==` is false between kinds, `!=` is its negation, NaN
 * equals nothing. `<` and the like hold within one kind only: numbers by exact value, strings by code point,
 * false < true, dates by time, oid and uuid by bytes, null <= null; never for binary, documents, lists. Documents are equal when
 * they have equal fields in the same order.
 */
export type BoundNode = BoundAnd | BoundOr | BoundConstant | BoundCompare | BoundIn | BoundBetween | BoundText;
export type BoundVisitor<R> = Visitor<BoundNode, R>;

export interface BoundAnd {
  readonly kind: 'and';
  readonly members: readonly BoundNode[];
}

export interface BoundOr {
  readonly kind: 'or';
  readonly members: readonly BoundNode[];
}

export interface BoundConstant {
  readonly kind: 'constant';
  readonly value: boolean;
}

/** Leaves that range over the values of a field. NONE is `any`, negated. */
interface Quantified {
  readonly quantifier: 'any' | 'all';
  readonly negated: boolean;
}

/** `left operator right`; `quantifier` is over `left`. */
export interface BoundCompare extends Quantified {
  readonly kind: 'compare';
  readonly operator: RelationalOperator;
  readonly left: Field;
  readonly right: Field | ValueOperand;
  /** Only with `==` and `!=`: two strings are compared after simple case folding; other values as ever. */
  readonly caseInsensitive: boolean;
}

/** The value equals one of `values` (no duplicates, in a fixed order, never NaN; empty only with `all`, where it then means: an empty list). */
export interface BoundIn extends Quantified {
  readonly kind: 'in';
  readonly left: Field;
  readonly values: readonly Json[];
  readonly caseInsensitive: boolean;
}

/** `low <= value && value <= high`, both for one and the same value of a list. */
export interface BoundBetween extends Quantified {
  readonly kind: 'between';
  readonly left: Field;
  readonly low: Json;
  readonly high: Json;
}

/**
 * String operators; false unless both sides are strings. At least one side is a field; with `like`, `right` is a value:
 * `*` is any run of characters, `?` one code point, newlines included, and there is no escape.
 * `over` is the side that `quantifier` ranges over; a field on the other side means "some value of it".
 */
export interface BoundText extends Quantified {
  readonly kind: 'text';
  readonly operator: TextOperator;
  readonly left: Field | ValueOperand;
  readonly right: Field | ValueOperand;
  readonly over: 'left' | 'right';
  readonly caseInsensitive: boolean;
}

export type Field = PathField | AggregateField;

export interface PathField {
  readonly kind: 'path';
  readonly path: readonly string[];
}

/**
 * One value computed from all values of the path.
 * `count`: of a list (or a path through one) the number of its values, 0 for null or missing, the number of code points
 * of a string, the number of fields of a document, null for anything else.
 * `sum`, `avg`: of the numbers among the values, others are ignored; sum of none 0, avg of none null.
 * `min`, `max`: of the numbers among them, without NaN; if there are none, of the dates; if none either, null.
 */
export interface AggregateField {
  readonly kind: 'aggregate';
  readonly path: readonly string[];
  readonly aggregate: AggregateFunction;
}

export interface ValueOperand {
  readonly kind: 'value';
  readonly value: Json;
}

/** A query without placeholders. */
export interface BoundQuery {
  readonly root: BoundNode;
}

/** The only constants there are. */
export const TRUE_NODE: BoundConstant = { kind: 'constant', value: true };
export const FALSE_NODE: BoundConstant = { kind: 'constant', value: false };

export function constantNode(value: boolean): BoundConstant {
  return value ? TRUE_NODE : FALSE_NODE;
}
