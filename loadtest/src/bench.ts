import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { round } from './bench/figures.ts';
import * as scenarios from './bench/scenarios.ts';
import { type ServerProcess, startBare, startFleet, startStandaloneProcess } from './bench/server-process.ts';

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    mode: { type: 'string', default: 'standalone' },
    gateways: { type: 'string', default: '2' },
    writers: { type: 'string', default: '2' },
  },
});
const { mode } = options;
if (mode !== 'standalone' && mode !== 'fleet') throw new Error('--mode is standalone or fleet');
const size = { gateways: countOf('gateways'), writers: countOf('writers') };
const startTidemark = mode === 'fleet' ? () => startFleet(size) : startStandaloneProcess;

function countOf(option: 'gateways' | 'writers'): number {
  const count = Number(options[option]);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--${option} is a number from 1`);
  return count;
}

/** One figure against bare Socket.IO, both on fresh servers. */
async function paired<T>(
  measure: (server: ServerProcess, dialect: scenarios.Dialect) => Promise<T>,
): Promise<{ tidemark: T; bare: T }> {
  return {
    bare: await on(startBare, (server) => measure(server, scenarios.bare)),
    tidemark: await on(startTidemark, (server) => measure(server, scenarios.tidemark)),
  };
}

async function on<T>(start: () => Promise<ServerProcess>, measure: (server: ServerProcess) => Promise<T>): Promise<T> {
  await using server = await start();
  return await measure(server);
}

function ratio(pair: { tidemark: number; bare: number }) {
  return { ...pair, ratio: round(pair.tidemark / pair.bare) };
}

type Latency = Awaited<ReturnType<typeof scenarios.latency>>;

function above(pair: { tidemark: Latency; bare: Latency }) {
  return {
    ...pair,
    p50Above: round(pair.tidemark.p50 - pair.bare.p50),
    p99Above: round(pair.tidemark.p99 - pair.bare.p99),
  };
}

const few = { subscribers: 100, buckets: 1, perSecond: 200, seconds: 8 };
const many = { subscribers: 1_000, buckets: 1_000, perSecond: 200, seconds: 8 };

/** Every figure by name; `npm run bench -- NAME …` measures only those. */
const figures: Readonly<Record<string, () => Promise<unknown>>> = {
  singlesPerSecond: async () => ratio(await paired(scenarios.singles)),
  batchesOf50PerSecond: async () => ratio(await paired(scenarios.batches)),
  latency100Subscribers: async () => above(await paired((server, dialect) => scenarios.latency(server, dialect, few))),
  latency1000Filters: async () => above(await paired((server, dialect) => scenarios.latency(server, dialect, many))),
  memoryPerConnection: async () => ratio(await paired(scenarios.memoryPerConnection)),
  connections: async () => paired(scenarios.connections),
  cpuMicrosPerChange: async () => {
    const at = (count: number) => on(startTidemark, (server) => scenarios.cpuPerChange(server, count));
    const [ten, tenThousand, hundredThousand] = [await at(10), await at(10_000), await at(100_000)];
    return { ten, tenThousand, hundredThousand, ratio: round(hundredThousand / ten) };
  },
  deliveriesPerSecond: async () => ratio(await paired(scenarios.deliveries)),
  firstLoadPerSecond: async () =>
    ratio({
      bare: await on(startBare, scenarios.bareFirstLoad),
      tidemark: await on(startTidemark, scenarios.firstLoad),
    }),
};

const unknown = wanted.filter((name) => !(name in figures));
if (unknown.length > 0)
  throw new Error(`there is no figure ${unknown.join(', ')}; there are ${Object.keys(figures).join(', ')}`);
const results: Record<string, unknown> = {};
for (const [name, measure] of Object.entries(figures)) {
  if (wanted.length === 0 || wanted.includes(name)) results[name] = await measure();
}
process.stdout.write(
  `${JSON.stringify({ mode, ...(mode === 'fleet' && size), cores: cpus().length, node: process.version, results }, null, 2)}\n`,
);
