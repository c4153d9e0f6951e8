/*
 * What the client costs: first results, live queries, first load; prints JSON.
 *   npm run bench:client [-- NAME …]
 */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LmdbStore } from '../src/node/lmdb-store.ts';
import { bootstrapBrowser } from './bootstrap-browser.ts';
import { bootstrapNode, inFolder } from './bootstrap-node.ts';
import { batchOf, newDocuments } from './documents.ts';
import { median, medians, round } from './figures.ts';
import { type ColdMs, openClient, openMs, type QueryName, queries } from './first-result.ts';
import { type observed, observeMicros } from './observe-cost.ts';

const many = 100_000;
const names = Object.keys(queries) as QueryName[];
const runs = 5;

/** Every figure by name; names as arguments measure only those. */
const figures: Readonly<Record<string, () => Promise<unknown>>> = {
  firstResultOpenMs: async () => {
    const client = await openClient(many);
    const measures = Object.fromEntries(names.map((name) => [name, () => openMs(client, name)]));
    const found = await medians(measures, 15);
    await client.close();
    return mapped(found, (ms) => round(ms));
  },
  firstResultColdMs: () =>
    inFolder(async (folder) => {
      const store = new LmdbStore(folder);
      await store.write(batchOf(newDocuments(many)));
      await store.close();
      return await cold(folder, 'thousandSorted');
    }),
  observeMicrosPerChange: async () => {
    await observeMicros(1_000, 10, 'all');
    return {
      queries0: round(await observeMicros(10_000, 0, 'all')),
      showingAll: await observeCosts(10_000, 'all'),
      showingTheFirst50: await observeCosts(10_000, 'first50'),
      showingAHundredth: await observeCosts(10_000, 'hundredth'),
      showingAllOf1000Documents: await observeCosts(1_000, 'all'),
    };
  },
  bootstrapNodePerSecond: () => bootstrapNode(20_000, runs),
  bootstrapChromiumPerSecond: () => bootstrapBrowser(20_000, runs),
};

async function observeCosts(documents: number, kind: keyof typeof observed) {
  const at = async (count: number) => round(await observeMicros(documents, count, kind));
  return { queries1: await at(1), queries10: await at(10), queries100: await at(100) };
}

async function cold(folder: string, name: QueryName): Promise<ColdMs> {
  const found: ColdMs[] = [];
  for (let run = 0; run <= runs; run++) found.push(await coldOnce(folder, name));
  // The first brings the file into the system's cache.
  const of = (part: keyof ColdMs) => round(median(found.slice(1).map((ms) => ms[part])));
  return { ready: of('ready'), firstResult: of('firstResult'), bare: of('bare') };
}

async function coldOnce(folder: string, name: QueryName): Promise<ColdMs> {
  const script = fileURLToPath(new URL('cold-process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, script, folder, name]);
  return JSON.parse(stdout) as ColdMs;
}

function mapped<T>(values: Readonly<Record<string, T>>, change: (value: T) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const results: Record<string, unknown> = {};
for (const [name, measure] of Object.entries(figures)) {
  if (wanted.length === 0 || wanted.includes(name)) results[name] = await measure();
}
process.stdout.write(`${JSON.stringify({ cores: cpus().length, node: process.version, results }, null, 2)}\n`);
