import { isDocument } from './atom.ts';
import { isList, type Json, ownProperty } from './json.ts';
import type { ValueTest } from './value-test.ts';

export type Document = Readonly<Record<string, Json>>;

/** Whether some value under the path passes the test. */
export type ExistsUnder = (document: Document, test: ValueTest) => boolean;

/**
 * Compiles the way to a field. Values under a path: of a list each element, through a list of documents the values in
 * each (elements that are no documents have none), of anything else that one; undefined for a missing field.
 */
export function compilePath(path: readonly string[]): ExistsUnder {
  const [first = '', ...rest] = path;
  const get = compileProperty(first);
  const exists = rest.reduceRight(through, atEnd);
  return (document, test) => exists(get(document), test);
}

/** A plain read is several times quicker than asking for an own property, and the same for names no prototype has. */
function compileProperty(name: string): (document: Document) => Json | undefined {
  if (name in Object.prototype) return (document) => ownProperty(document, name);
  return (document) => document[name];
}

type Exists = (value: Json | undefined, test: ValueTest) => boolean;

const atEnd: Exists = (value, test) => (isList(value) ? value.some(test) : test(value));

/** Follows a name, and from there the rest of the path. */
function through(rest: Exists, name: string): Exists {
  const step: Exists = (value, test) => isDocument(value) && rest(ownProperty(value, name), test);
  return (value, test) => {
    if (isList(value)) return value.some((element) => step(element, test));
    return isDocument(value) ? step(value, test) : test(undefined);
  };
}

/** All values under a path, and whether a list was met on the way or at its end. */
export interface Values {
  readonly values: readonly (Json | undefined)[];
  readonly isList: boolean;
}

export function valuesUnder(document: Document, path: readonly string[]): Values {
  const values: (Json | undefined)[] = [];
  compilePath(path)(document, (value) => {
    values.push(value);
    return false;
  });
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
