import { atomKey, decode } from './atom.ts';
import type { BoundNode, BoundQuery } from './bound-tree.ts';
import { equalityOf } from './combine.ts';
import { type Json, ownProperty } from './json.ts';
import { type Document, valuesUnder } from './paths.ts';

/** A document that matches has one of these values under the path. */
export interface Equality {
  /** Names joined by dots (a name never contains one). */
  readonly path: string;
  readonly values: readonly Json[];
}

/**
 * Necessary conditions for a match, to find a query by the documents that may match it: for each, some key of
 * `lookupKeys(document, path)` is the `lookupKey` of one of the values. May be empty: then only a scan finds it.
 */
export function equalities(query: BoundQuery): readonly Equality[] {
  return equalitiesOf(query.root);
}

function equalitiesOf(node: BoundNode): readonly Equality[] {
  if (node.kind === 'and') return node.members.flatMap(equalitiesOf);
  if (node.kind === 'or') return commonEqualities(node.members.map(equalitiesOf));
  const equality = equalityOf(node);
  if (equality?.left.kind !== 'path') return [];
  return [{ path: equality.left.path.join('.'), values: equality.values }];
}

/** Under an OR a path is constrained only if every member constrains it: then to the values of all together. */
function commonEqualities(members: readonly (readonly Equality[])[]): readonly Equality[] {
  const [first = [], ...rest] = members;
  return first.flatMap(({ path, values }) => {
    const others = rest.map((member) => member.find((equality) => equality.path === path));
    if (others.some((equality) => equality === undefined)) return [];
    return [{ path, values: distinct([...values, ...others.flatMap((equality) => equality?.values ?? [])]) }];
  });
}

function distinct(values: readonly Json[]): readonly Json[] {
  return [...new Map(values.map((value) => [lookupKey(value), value])).values()];
}

/**
 * The keys under which a document is found for a path: one for each value there, so every element of a list, also
 * inside lists of embedded documents; for a missing field the key of null; none for an empty list.
 */
export function lookupKeys(document: Document, path: string): readonly string[] {
  const value = path.includes('.') ? undefined : ownProperty(document, path);
  if (typeof value === 'string') return [atomKey({ kind: 'string', text: value })];
  const { values } = valuesUnder(document, path.split('.'));
  const keys = values.map((each) => atomKey(decode(each)));
  return keys.length < 2 ? keys : [...new Set(keys)];
}

/** Equal values (numbers of any type, forms of a date, case of hex) have equal keys, different values different ones. */
export function lookupKey(value: Json): string {
  return atomKey(decode(value));
}
