import { isObject as isUnknownObject } from '@tidemark/protocol/core';

/**
 * JSON or Extended JSON: null, boolean, number, string,
 * `{$oid}|{$date}|{$numberDecimal}|{$numberLong}|{$numberInt}|{$numberDouble}|{$uuid}|{$binary}`, arrays, embedded documents.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** An embedded document, or the wrapper of a typed value. */
export type JsonObject = { readonly [key: string]: Json };

/** Reads an own property only: a document's field is never answered by a prototype. */
export function ownProperty<T>(object: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** What comes here as JSON holds JSON. */
export const isObject = isUnknownObject as (value: unknown) => value is JsonObject;

export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}
