/**
 * How many of the lanes the holder may serve: lanes are dealt evenly, the first holders take what is left over.
 * All holders that see the same list come to shares that add up to all lanes.
 */
export function shareOf(lanes: number, holders: readonly string[], holder: string): number {
  const rank = holders.indexOf(holder);
  if (rank < 0) return 0;
  return Math.floor(lanes / holders.length) + (rank < lanes % holders.length ? 1 : 0);
}

/** The lanes in the order in which the holder tries them: each starts elsewhere, so that they seldom reach for the same. */
export function preferredOrder<T>(lanes: readonly T[], holders: readonly string[], holder: string): readonly T[] {
  const rank = Math.max(holders.indexOf(holder), 0);
  const start = holders.length === 0 ? 0 : Math.floor((rank * lanes.length) / holders.length);
  return [...lanes.slice(start), ...lanes.slice(0, start)];
}
