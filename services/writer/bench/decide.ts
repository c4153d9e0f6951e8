import { createRules, parseRules } from '@tidemark/access';
import {
  brandAs,
  type Change,
  type ChangeId,
  type CollectionName,
  type Document,
  type DocumentKey,
  type Epoch,
  type GatewayId,
  type JobId,
  type Json,
  type Lane,
  type Seq,
  type UserId,
} from '@tidemark/protocol';
import type { Snapshot, StoredState } from '@tidemark/storage';
import type { WriteJob } from '@tidemark/transport';
import { PendingJob } from '../src/group-commit/pending-job.ts';
import { planUnits } from '../src/group-commit/plan-units.ts';
import { unitsOf } from '../src/group-commit/unit.ts';

/**
 * What a change costs the writer's thread besides the store: decide and plan batches of 100 single updates of documents
 * of about 300 bytes. Prints JSON: microseconds per change. `tsx --conditions=tidemark-source services/writer/bench/decide.ts`
 */
const batch = 100;
const rounds = 3_000;

function document(n: number): Document {
  const fields: Record<string, Json> = { _id: `d${n}`, sync_updated_at: n, _updated_by: 'u', sync_version: n };
  for (let i = 0; i < 8; i++) fields[`field${i}`] = `value ${i} of the document ${n}`;
  fields.owner = 'u1';
  return fields as Document;
}

const stored = new Map<string, StoredState>(
  Array.from({ length: batch }, (_, n) => [`d${n}`, { kind: 'document', document: document(n) }]),
);
const snapshot: Snapshot = {
  head: () => brandAs<Seq>(1_000),
  state: ({ key }) => stored.get(key),
  outcome: () => undefined,
};

function change(n: number): Change {
  const key = brandAs<DocumentKey>(`d${n}`);
  return {
    id: brandAs<ChangeId>(`0b8f6c1e-58c5-4a64-9d6b-${n}`),
    operation: 'update',
    collection: brandAs<CollectionName>('tasks'),
    documentId: key,
    key,
    data: { field3: 'another value', done: true },
    unset: [],
    timestamp: undefined,
    version: undefined,
  };
}

function measure(rulesText: string | undefined): number {
  const rules = createRules(rulesText === undefined ? undefined : parseRules(rulesText, 'rules'), {
    production: false,
  });
  const author = { userId: brandAs<UserId>('u1'), claims: { sub: 'u1' } };
  const requests = Array.from({ length: batch }, (_, n) => ({
    author,
    origin: undefined,
    atomic: false,
    emitTo: undefined,
    changes: [change(n)],
  }));
  const epoch = brandAs<Epoch>(1);
  const job: WriteJob = {
    id: brandAs<JobId>('j'),
    gateway: brandAs<GatewayId>('g'),
    epoch,
    lane: brandAs<Lane>(0),
    requests,
  };
  const context = { now: 1, epoch, optimisticLocking: false, maxClockSkewMs: 60_000, rules };
  const round = () => {
    const pending = new PendingJob(job, { resolve: () => undefined, reject: () => undefined });
    return planUnits(unitsOf(pending, 1), snapshot, context).plan.entries.length;
  };
  for (let i = 0; i < rounds; i++) round();
  const started = performance.now();
  let entries = 0;
  for (let i = 0; i < rounds; i++) entries += round();
  if (entries !== rounds * batch) throw new Error('not every change was applied');
  return ((performance.now() - started) * 1_000) / entries;
}

const owner = 'owner == $user.sub';
const microseconds = {
  open: measure(undefined),
  rules: measure(`collections: { tasks: { read: ${owner}, insert: ${owner}, update: ${owner}, delete: ${owner} } }`),
  fieldMerge: measure('collections: { tasks: { merge: field, read: true, insert: true, update: true, delete: true } }'),
};
console.log(JSON.stringify({ batch, changes: rounds * batch, microsecondsPerChange: microseconds }));
