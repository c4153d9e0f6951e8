import type { Json } from '@tidemark/protocol';

const objectOverhead = 64;

/** Bytes that a value keeps alive, roughly: good enough for a bound, cheap enough for every change. */
export function approximateJsonBytes(value: Json): number {
  if (typeof value === 'string') return 16 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = objectOverhead;
  if (Array.isArray(value)) {
    for (const member of value) bytes += approximateJsonBytes(member);
    return bytes;
  }
  const fields = value as { readonly [key: string]: Json };
  for (const key in fields) bytes += 8 + key.length + approximateJsonBytes(fields[key] ?? null);
  return bytes;
}
