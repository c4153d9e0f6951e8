/*
 * Commits of the store on MongoDB by one writer: changes per second and this process's CPU time per change, by
 * transaction size; prints JSON. The server is found as in the tests.
 *   npx tsx --conditions=tidemark-source libs/storage/bench/mongo-commit.ts [changes]
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { openMongoStore } from '@tidemark/storage/mongo';
import { startMongo } from '@tidemark/storage/mongo-testing';
import { commit, type SampleWrite } from '../src/mongo/testing/sample-plans.ts';

const total = Number(process.argv[2] ?? 4_000);
/** Every document is written about twice. */
const documents = total / 2;

function writes(first: number, size: number): SampleWrite[] {
  return Array.from({ length: size }, (_, index) => ({
    collection: 'tasks',
    id: `task-${(first + index) % documents}`,
    change: `change-${first + index}`,
    author: `user-${index % 50}`,
    fields: {
      title: `Buy milk, bread and ${first + index} eggs`,
      description: 'x'.repeat(120),
      done: index % 2 === 0,
      due: { $date: '2026-11-24T10:00:00.000Z' },
      tags: ['home', 'shopping'],
    },
  }));
}

async function measure(uri: string, size: number) {
  const store = await openMongoStore({
    uri,
    database: `bench-${randomUUID()}`,
    lanes: 1,
    poolSize: 10,
    socketTimeoutMs: 30_000,
  });
  await commit(store, writes(0, 1));
  const count = size === 1 ? total / 4 : total;
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  for (let first = 1; first < count; first += size) await commit(store, writes(first, size));
  const [seconds, used] = [(performance.now() - start) / 1_000, process.cpuUsage(cpu)];
  await store.close();
  return {
    size,
    changesPerSecond: Math.round(count / seconds),
    transactionMs: Math.round((seconds * 1e5 * size) / count) / 100,
    cpuMicrosPerChange: Math.round((used.user + used.system) / count),
  };
}

const server = await startMongo();
try {
  const results = [];
  for (const size of [1, 50, 200]) results.push(await measure(server.uri, size));
  console.log(JSON.stringify({ bench: 'mongo-commit', server: server.description, results }));
} finally {
  await server.stop();
}
