/** Each once to warm up, then `runs` times in turn, so that what else the machine does hits all alike. The median of each. */
export async function medians<Name extends string>(
  measures: Readonly<Record<Name, () => Promise<number>>>,
  runs: number,
): Promise<Readonly<Record<Name, number>>> {
  const names = Object.keys(measures) as Name[];
  const values = new Map(names.map((name) => [name, [] as number[]]));
  for (let run = 0; run <= runs; run++) {
    for (const name of names) {
      const value = await measures[name]();
      if (run > 0) values.get(name)?.push(value);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(values.get(name) ?? [])])) as Record<Name, number>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** Documents a second of the client and of the bare library that it stands on, from milliseconds. */
export function perSecond(count: number, { client, bare }: { client: number; bare: number }) {
  const rate = (ms: number) => Math.round((count * 1_000) / ms);
  return { client: rate(client), bare: rate(bare), ratio: round(bare / client) };
}
