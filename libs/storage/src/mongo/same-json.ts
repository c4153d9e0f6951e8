import type { Json, JsonObject } from '@tidemark/protocol';

/** The same value, with fields in the same order; zero and minus zero are two. */
export function isSameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return isSameList(a, b);
  return isSameObject(a as JsonObject, b as JsonObject);
}

function isSameList(a: Json, b: Json): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((item, index) => isSameJson(item, b[index]));
}

function isSameObject(a: JsonObject, b: JsonObject): boolean {
  const names = Object.keys(a);
  const others = Object.keys(b);
  return (
    names.length === others.length && names.every((name, at) => others[at] === name && isSameJson(a[name], b[name]))
  );
}
