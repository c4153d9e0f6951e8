export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** p50 and p99 of milliseconds. */
export function spread(values: readonly number[]): { p50: number; p99: number; count: number } {
  return { p50: round(percentile(values, 0.5)), p99: round(percentile(values, 0.99)), count: values.length };
}

/** Turns per second of `turn`, run by `lanes` loops side by side for `ms`; the first fifth is warm-up. */
export async function rate(lanes: readonly ((count: number) => Promise<number>)[], ms: number): Promise<number> {
  const begun = performance.now();
  const warm = begun + ms / 5;
  const end = begun + ms;
  let done = 0;
  await Promise.all(
    lanes.map(async (turn) => {
      for (let count = 0; performance.now() < end; count++) {
        const units = await turn(count);
        if (performance.now() > warm) done += units;
      }
    }),
  );
  return (done * 1_000) / (performance.now() - warm);
}
