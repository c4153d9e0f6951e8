import { isDocument } from './atom.ts';
import { isList, type Json, type JsonObject, ownProperty } from './json.ts';
import type { ValueTest } from './value-test.ts';

export type Document = Readonly<Record<string, Json>>;

/** Whether some value under the path passes the test. */
export type ExistsUnder = (document: Document, test: ValueTest) => boolean;

/**
 * Compiles the way to a field. Values under a path: of a list each element, through a list of documents the values in
 * each (elements that are no documents have none), of anything else that one; undefined for a missing field.
 */
export function compilePath(path: readonly string[]): ExistsUnder {
  const [first = ''] = path;
  const get = compileProperty(first);
  if (path.length > 1) return (document, test) => existsFrom(get(document), { path, index: 1, test });
  return (document, test) => {
    const value = get(document);
    return isList(value) ? value.some(test) : test(value);
  };
}

/** A plain read is several times quicker than asking for an own property, and the same for names no prototype has. */
function compileProperty(name: string): (document: Document) => Json | undefined {
  if (name in Object.prototype) return (document) => ownProperty(document, name);
  return (document) => document[name];
}

interface Walk {
  readonly path: readonly string[];
  /** The name to follow next. */
  readonly index: number;
  readonly test: ValueTest;
}

function existsFrom(value: Json | undefined, walk: Walk): boolean {
  const { path, index, test } = walk;
  if (index === path.length) return isList(value) ? value.some(test) : test(value);
  if (isList(value)) return value.some((element) => isDocument(element) && existsFrom(step(element, walk), next(walk)));
  return isDocument(value) ? existsFrom(step(value, walk), next(walk)) : test(undefined);
}

function step(document: JsonObject, { path, index }: Walk): Json | undefined {
  return ownProperty(document, path[index] ?? '');
}

function next({ path, index, test }: Walk): Walk {
  return { path, index: index + 1, test };
}

/** All values under a path, and whether a list was met on the way or at its end. */
export interface Values {
  readonly values: readonly (Json | undefined)[];
  readonly isList: boolean;
}

export function valuesUnder(document: Document, path: readonly string[]): Values {
  const values: (Json | undefined)[] = [];
  const collect: ValueTest = (value) => {
    values.push(value);
    return false;
  };
  existsFrom(document, { path, index: 0, test: collect });
  return { values, isList: meetsList(document, path) };
}

function meetsList(document: Document, path: readonly string[]): boolean {
  let value: Json | undefined = document;
  for (const name of path) {
    if (isList(value)) return true;
    value = isDocument(value) ? ownProperty(value, name) : undefined;
  }
  return isList(value);
}
