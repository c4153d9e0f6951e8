import { isObject, type Json } from '@tidemark/protocol';

/** Deeper than any rule reaches; a token of 16 KiB could hold thousands of brackets. */
const maxDepth = 32;

/** The claim if it is JSON that survives a queue unchanged, else undefined: a claim that is none is missing. */
export function jsonClaim(value: unknown): Json | undefined {
  return isJson(value, 1) ? value : undefined;
}

function isJson(value: unknown, depth: number): value is Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (depth > maxDepth) return false;
  if (Array.isArray(value)) return value.every((member) => isJson(member, depth + 1));
  return isObject(value) && Object.values(value).every((member) => isJson(member, depth + 1));
}
