/**
 * The codes of the server's catalogue after which the same message may succeed later. A list of their own, since the catalogue's
 * sentences have no place in a browser; a test holds the two equal.
 */
const passing: ReadonlySet<string | undefined> = new Set([
  'too_many_connections',
  'rate_limited',
  'overloaded',
  'unavailable',
  'internal',
]);

/** Whether the same message may succeed later. A code that nobody knows may not. */
export function mayRetryLater(code: string | undefined): boolean {
  return passing.has(code);
}
