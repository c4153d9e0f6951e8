import { internalPrefix } from '@tidemark/protocol';
import { type BoundNode, type BoundQuery, type BoundVisitor, type Field, visit } from '@tidemark/rql';
import type { Filter } from 'mongodb';
import type { DocumentRow } from './document-rows.ts';
import { anything, type Operators, testOf, type ValueTest } from './rql-value-test.ts';

export interface QueryFilter {
  /** Finds every document that matches the query. Undefined: none does. */
  readonly filter: Filter<DocumentRow> | undefined;
  /** True when it finds no other documents. If false, the predicate has to sort out. */
  readonly exact: boolean;
}

type Expression = Readonly<Record<string, unknown>>;

/** A part of the filter; `{}` finds everything, undefined nothing. */
interface Part {
  readonly filter: Expression | undefined;
  readonly exact: boolean;
}

const everything: Part = { filter: {}, exact: true };
const nothing: Part = { filter: undefined, exact: true };
/** What MongoDB cannot say: the predicate decides alone. */
const undecided: Part = { filter: {}, exact: false };

/**
 * The MongoDB filter of a query. What MongoDB cannot express, or expresses with other semantics, widens the filter;
 * it is never narrower than the query. No operator runs code, and no user text becomes a pattern unescaped.
 */
export function filterOf(query: BoundQuery): QueryFilter {
  return partOf(query.root) as QueryFilter;
}

const visitor: BoundVisitor<Part> = {
  constant: ({ value }) => (value ? everything : nothing),
  and: ({ members }) => conjunction(members.map(partOf)),
  or: ({ members }) => disjunction(members.map(partOf)),
  compare: leaf,
  in: leaf,
  between: leaf,
  text: leaf,
};

function partOf(node: BoundNode): Part {
  return visit(node, visitor);
}

function conjunction(parts: readonly Part[]): Part {
  if (parts.some(({ filter }) => filter === undefined)) return nothing;
  const filters = parts.map(({ filter }) => filter).filter((filter) => !isEverything(filter));
  const [first = {}] = filters;
  return { filter: filters.length > 1 ? { $and: filters } : first, exact: parts.every(({ exact }) => exact) };
}

function disjunction(parts: readonly Part[]): Part {
  const possible = parts.filter(({ filter }) => filter !== undefined);
  const [first = nothing] = possible;
  if (possible.length < 2) return first;
  const exact = possible.every((part) => part.exact);
  if (possible.some(({ filter }) => isEverything(filter))) return { filter: {}, exact };
  return { filter: { $or: possible.map(({ filter }) => filter) }, exact };
}

function isEverything(filter: Expression | undefined): boolean {
  return filter !== undefined && Object.keys(filter).length === 0;
}

type Leaf = Extract<BoundNode, { readonly quantifier: unknown }>;

function leaf(node: Leaf): Part {
  const path = pathOf(node);
  if (path === undefined) return undecided;
  const test = testOf(node);
  if (test === anything) return undecided;
  const place = { path, name: path.join('.') };
  const part = node.quantifier === 'all' ? every(place, test) : some(place, { test, negated: node.negated });
  return withForeignMetadata(place, node.negated ? negation(part) : part);
}

function negation({ filter, exact }: Part): Part {
  return exact ? { filter: { $nor: [filter] }, exact } : undecided;
}

/** The stored path that the leaf looks at; undefined when it looks at two, computes something, or at what is not stored so. */
function pathOf(node: Leaf): readonly string[] | undefined {
  const field: Field | { readonly kind: 'value' } = node.left;
  if (field.kind !== 'path' || (node.kind === 'text' && node.over === 'right')) return undefined;
  const [first = ''] = field.path;
  if (first.startsWith(internalPrefix)) return undefined;
  return foreignMetadata.has(first) && field.path.length > 1 ? undefined : field.path;
}

interface Place {
  readonly path: readonly string[];
  readonly name: string;
}

/** Some value under the path meets the test. */
function some({ path, name }: Place, { test, negated }: { readonly test: ValueTest; readonly negated: boolean }): Part {
  const { operators, shape } = test;
  const isTop = path.length === 1;
  const exact = test.exact && (isTop || !test.meetsNull);
  // MongoDB means "some value" by each single operator …
  if (shape === 'single') return { filter: { [name]: operators }, exact };
  // … of a pair that one value meets the first and maybe another one the second …
  if (shape === 'pair' && !(negated && isTop)) return { filter: { [name]: operators }, exact: false };
  // … and "no value" by $ne, so that lists need to be told apart.
  return isTop ? { filter: { $or: topLevel(name, operators) }, exact } : undecided;
}

/** Every value under the path meets the test: none fails. */
function every({ path, name }: Place, { operators, exact }: ValueTest): Part {
  if (path.length > 1) return undecided;
  return { filter: { $nor: topLevel(name, { $not: operators }) }, exact };
}

/** A field that is no list and meets the operators, or a list with such an element. */
function topLevel(name: string, operators: Operators): readonly Expression[] {
  return [
    { $and: [{ [name]: operators }, { [name]: { $not: { $type: 'array' } } }] },
    { [name]: { $elemMatch: operators } },
  ];
}

const mostSeq = Number.MAX_SAFE_INTEGER;
const foreignNumber: readonly Expression[] = [
  { $exists: true, $not: { $type: ['int', 'long', 'double'] } },
  { $gt: mostSeq },
  { $lt: -mostSeq },
  { $eq: Number.NaN },
  { $type: 'array' },
];
const foreignText: readonly Expression[] = [{ $exists: true, $not: { $type: 'string' } }, { $type: 'array' }];

/** Metadata of another type is not ours and counts as missing, see document-rows.ts. */
const foreignMetadata: ReadonlyMap<string, readonly Expression[]> = new Map([
  ['sync_updated_at', foreignNumber],
  ['sync_version', foreignNumber],
  ['_updated_by', foreignText],
]);

function withForeignMetadata({ name }: Place, part: Part): Part {
  const foreign = foreignMetadata.get(name);
  if (foreign === undefined || isEverything(part.filter)) return part;
  return { filter: { $or: [part.filter, ...foreign.map((operators) => ({ [name]: operators }))] }, exact: false };
}
