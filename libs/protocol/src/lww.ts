import type { Millis, UserId } from './ids.ts';
import type { Json, JsonObject } from './json.ts';

/** When and by whom a value was last written. */
export interface Version {
  readonly timestamp: Millis;
  readonly author: UserId | undefined;
}

/** Per-field versions of a collection that merges by field. Fields removed by `unset` keep theirs. */
export type FieldVersions = Readonly<Record<string, Version>>;

/**
 * The rule of last write wins: does `incoming` replace `stored`?
 * Later wins; at equal timestamps the stored version stays, unless the same author wrote both (then arrival decides).
 * What was never written through Tidemark (`undefined`) is the oldest.
 */
export function wins(incoming: Version, stored: Version | undefined): boolean {
  if (stored === undefined || incoming.timestamp > stored.timestamp) return true;
  return incoming.timestamp === stored.timestamp && stored.author !== undefined && incoming.author === stored.author;
}

/** A write to a document, its fields or the whole. */
export interface FieldWrite {
  readonly version: Version;
  readonly data: JsonObject;
  readonly unset: readonly string[];
}

/** The part of a write that takes effect, and the versions after it; undefined when no field won. */
export interface FieldMerge {
  readonly data: JsonObject;
  readonly unset: readonly string[];
  readonly versions: FieldVersions;
}

/**
 * Merge by field: each field obeys `wins` by itself.
 * `base` is the version of fields that have none of their own (the document's, from before it merged by field).
 */
export function mergeFields(
  write: FieldWrite,
  versions: FieldVersions,
  base: Version | undefined,
): FieldMerge | undefined {
  const fieldWins = (name: string) => wins(write.version, Object.hasOwn(versions, name) ? versions[name] : base);
  const data: Record<string, Json> = {};
  const next: Record<string, Version> = { ...versions };
  for (const name in write.data) {
    const value = write.data[name];
    if (value === undefined || !fieldWins(name)) continue;
    data[name] = value;
    next[name] = write.version;
  }
  const unset = write.unset.filter((name) => !Object.hasOwn(data, name) && fieldWins(name));
  for (const name of unset) next[name] = write.version;
  const isEmptyWrite = Object.keys(write.data).length === 0 && write.unset.length === 0;
  if (Object.keys(data).length === 0 && unset.length === 0 && !isEmptyWrite) return undefined;
  return { data, unset, versions: next };
}
