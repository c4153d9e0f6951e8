/*
 * Commits of the embedded store: changes per second and main-thread time per change, by batch size; prints JSON.
 *   npx tsx --conditions=tidemark-source libs/storage/bench/commit.ts [changes]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  brandAs,
  type ChangeId,
  type CollectionName,
  type Document,
  type DocumentKey,
  type Entry,
  type Lane,
  type Seq,
  type UserId,
} from '@tidemark/protocol';
import { type BoundQuery, bindQuery, parseQuery, TRUE_QUERY } from '@tidemark/rql';
import type { Store } from '@tidemark/storage';
import { openEmbeddedStore } from '@tidemark/storage/embedded';

const total = Number(process.argv[2] ?? 20_000);
const collection = brandAs<CollectionName>('tasks');
const author = brandAs<UserId>('user-17');
const lane = brandAs<Lane>(0);

function newDocument(id: string, seq: number): Document {
  return {
    _id: id,
    title: `Buy milk, bread and ${seq} eggs`,
    description: 'x'.repeat(120),
    done: seq % 2 === 0,
    priority: seq % 5,
    owner: author,
    tags: ['home', 'shopping'],
    sync_updated_at: 1_700_000_000_000 + seq,
    _updated_by: author,
    sync_version: seq,
  };
}

interface Batch {
  readonly ids: readonly string[];
  readonly changes: readonly { readonly author: UserId; readonly id: ChangeId }[];
}

function newBatch(round: number, size: number, keys: number): Batch {
  const ids = Array.from({ length: size }, (_, i) => `task-${((round * size + i) * 7919) % keys}`);
  return {
    ids: [...new Set(ids)],
    changes: ids.map((_, i) => ({ author, id: brandAs<ChangeId>(`change-${round}-${i}-${size}`) })),
  };
}

async function commit(store: Store, batch: Batch): Promise<void> {
  const epoch = store.history.epochs.at(-1)?.epoch ?? brandAs<Entry['epoch']>(1);
  const documents = batch.ids.map((id) => ({ collection, key: brandAs<DocumentKey>(id), documentId: id }));
  await store.transact({ epoch, lanes: [lane], documents, changes: batch.changes }, (snapshot) => {
    const head = snapshot.head(lane);
    const entries: Entry[] = [];
    const states = documents.map((ref, i) => {
      const change = batch.changes[i];
      if (!change || snapshot.outcome(change)) throw new Error('unexpected');
      const before = snapshot.state(ref);
      const document = newDocument(ref.key, head + i + 1);
      entries.push({
        epoch,
        lane,
        seq: brandAs<Seq>(head + i + 1),
        ...change,
        operation: 'insert',
        ...ref,
        before: before?.kind === 'document' ? before.document : null,
        after: document,
        timestamp: 1_700_000_000_000 + head + i,
        committedAt: 1_700_000_000_000 + head + i,
      });
      return { ref, state: { kind: 'document', document } as const };
    });
    return { plan: { entries, states, superseded: [] }, result: undefined };
  });
}

async function measureCommits(size: number, indexes: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const store = await openEmbeddedStore({ directory, lanes: 1, collections: () => ({ indexes }) });
  const rounds = Math.ceil(total / size);
  const batches = Array.from({ length: rounds }, (_, round) => newBatch(round, size, total));
  const loop = performance.eventLoopUtilization();
  const started = performance.now();
  const latencies: number[] = [];
  for (const batch of batches) {
    const before = performance.now();
    await commit(store, batch);
    latencies.push(performance.now() - before);
  }
  const elapsed = performance.now() - started;
  const { active } = performance.eventLoopUtilization(loop);
  const reads = await measureReads(store);
  await store.close();
  await rm(directory, { recursive: true });
  latencies.sort((a, b) => a - b);
  return {
    batch: size,
    indexes: indexes.length,
    changesPerSecond: Math.round((total / elapsed) * 1000),
    mainThreadMicrosPerChange: round((active * 1000) / total),
    commitMs: { p50: round(at(latencies, 0.5)), p99: round(at(latencies, 0.99)) },
    ...reads,
  };
}

async function measureReads(store: Store) {
  const scan = await readAll(store, TRUE_QUERY);
  const filtered = await readAll(store, bindQuery(parseQuery("priority == 3 AND title CONTAINS '9'")));
  const log = await readLog(store);
  return { documentsPerSecond: scan, filteredRowsPerSecond: filtered, entriesPerSecond: log };
}

async function readAll(store: Store, query: BoundQuery): Promise<number> {
  const started = performance.now();
  let after: DocumentKey | undefined;
  do {
    const page = await store.readDocuments({ collection, query, after, limit: 500 });
    after = page.next;
  } while (after !== undefined);
  return Math.round((total / (performance.now() - started)) * 1000);
}

async function readLog(store: Store): Promise<number> {
  const epoch = store.history.epochs[0]?.epoch ?? brandAs<Entry['epoch']>(1);
  const started = performance.now();
  let after = brandAs<Seq>(0);
  for (;;) {
    const entries = await store.readLog({ epoch, lane, after, limit: 1000 });
    const last = entries.at(-1);
    if (!last) return Math.round((after / (performance.now() - started)) * 1000);
    after = last.seq;
  }
}

const at = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
const round = (value: number) => Math.round(value * 100) / 100;

const results = [];
for (const size of [1, 50, 100, 500]) results.push(await measureCommits(size, []));
results.push(await measureCommits(100, ['owner', 'priority']));
console.log(JSON.stringify({ changes: total, node: process.version, cpu: cpus()[0]?.model, results }, null, 2));
