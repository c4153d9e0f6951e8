import type { Json } from '@tidemark/protocol';

/** A unit of a string takes at most this many bytes as JSON (`\u0000`). */
const bytesPerUnit = 6;
const bytesPerScalar = 26;

/**
 * Whether the value takes more than `limit` bytes as JSON. Serialises only what is near the limit: small documents, which
 * are nearly all, cost one walk over their fields.
 */
export function exceedsBytes(value: Json, limit: number): boolean {
  if (bytesLeft(value, limit) >= 0) return false;
  return Buffer.byteLength(JSON.stringify(value)) > limit;
}

/** What the value as JSON leaves of `room` at the least, in bytes; negative as soon as it may be used up. */
export function bytesLeft(value: Json, room: number): number {
  if (typeof value === 'string') return room - value.length * bytesPerUnit - 3;
  if (typeof value !== 'object' || value === null) return room - bytesPerScalar;
  let left = room - 3;
  if (Array.isArray(value)) {
    for (const member of value) {
      if (left < 0) return left;
      left = bytesLeft(member, left);
    }
    return left;
  }
  const fields = value as { readonly [key: string]: Json };
  for (const key in fields) {
    if (left < 0) return left;
    left = bytesLeft(fields[key] ?? null, left - key.length * bytesPerUnit - 4);
  }
  return left;
}
