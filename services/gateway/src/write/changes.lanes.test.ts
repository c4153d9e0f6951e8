import { describe, expect, it } from '@jest/globals';
import {
  brandAs,
  type Change,
  type ChangeId,
  type CollectionName,
  documentKey,
  type GatewayId,
  laneOf,
  type Seq,
  SyncError,
  type UserId,
} from '@tidemark/protocol';
import { silentTelemetry } from '@tidemark/telemetry';
import type { Bus, JobQueue, WriteJob, WriteReply } from '@tidemark/transport';
import { Changes } from './changes.ts';

const lanes = 4;
const tasks = brandAs<CollectionName>('tasks');

function change(id: string): Change {
  const key = documentKey(id);
  const none = { data: {}, unset: [], timestamp: undefined, version: undefined };
  return { id: brandAs<ChangeId>(id), operation: 'update', collection: tasks, documentId: id, key, ...none };
}

async function rig(refuse: (job: WriteJob) => Error | undefined = () => undefined) {
  const jobs: WriteJob[] = [];
  let reply: (reply: WriteReply) => void = () => undefined;
  const queue = {
    enqueue: async (job: WriteJob) => {
      const error = refuse(job);
      if (error !== undefined) throw error;
      jobs.push(job);
      const outcomes = job.requests.map(({ changes }) =>
        changes.map(
          ({ id }) => ({ kind: 'applied', changeId: id, timestamp: 1, lane: job.lane, seq: 1 as Seq }) as const,
        ),
      );
      setImmediate(() => reply({ job: job.id, outcomes }));
    },
  };
  const bus = {
    subscribeReplies: async (_gateway: GatewayId, listener: (one: WriteReply) => void) => {
      reply = listener;
      return async () => {
        reply = () => undefined;
      };
    },
  };
  const changes = new Changes({
    queue: queue as unknown as JobQueue,
    bus: bus as unknown as Bus,
    gateway: brandAs<GatewayId>('g1'),
    epoch: { epoch: 1 as never, lanes, base: 0 as never },
    telemetry: silentTelemetry(),
    settings: { maxJobChanges: 100, maxWaitingChanges: 1_000, jobTimeoutMs: 1_000 },
  });
  await changes.start();
  const submit = (ids: readonly string[], atomic = false) =>
    changes.submit({
      author: { userId: brandAs<UserId>('ann'), claims: {} },
      origin: undefined,
      atomic,
      changes: ids.map(change),
    });
  return { changes, jobs, submit };
}

const ids = Array.from({ length: 12 }, (_, index) => `d${index}`);
const laneFor = (id: string) => laneOf(tasks, documentKey(id), lanes);

describe('the way to the writers', () => {
  it('leads every change to the lane of its document, and brings the outcomes back in order', async () => {
    const { submit, jobs, changes } = await rig();
    const results = await submit(ids);
    expect(results.map((result) => (result as { changeId: string }).changeId)).toEqual(ids);
    expect(new Set(ids.map(laneFor)).size).toBeGreaterThan(1);
    for (const { lane, requests } of jobs)
      for (const { id } of requests.flatMap((request) => request.changes)) expect(laneFor(id)).toBe(lane);
    expect(changes.pending).toBe(0);
  });

  it('keeps an atomic batch together, in the lowest of its lanes', async () => {
    const { submit, jobs } = await rig();
    await submit(ids, true);
    expect(jobs).toHaveLength(1);
    expect(jobs[0]).toMatchObject({ lane: Math.min(...ids.map(laneFor)), requests: [{ atomic: true }] });
    expect(jobs[0]!.requests[0]!.changes.map(({ id }) => id)).toEqual(ids);
  });

  it('answers the part that a full lane refuses with its error, and the rest with its outcomes', async () => {
    const full = laneFor('d0');
    const { submit } = await rig(({ lane }) => (lane === full ? new SyncError('overloaded', 'full') : undefined));
    const results = await submit(ids);
    results.forEach((result, index) => {
      if (laneFor(ids[index]!) === full) expect(result).toMatchObject({ code: 'overloaded' });
      else expect(result).toMatchObject({ kind: 'applied', changeId: ids[index] });
    });
  });

  it('keeps the order of one author’s changes in a lane over several submissions', async () => {
    const { submit, jobs } = await rig();
    await Promise.all(ids.map((id) => submit([id])));
    for (let lane = 0; lane < lanes; lane++) {
      const arrived = jobs
        .filter((job) => job.lane === lane)
        .flatMap((job) => job.requests.flatMap(({ changes }) => changes));
      expect(arrived.map(({ id }) => id)).toEqual(ids.filter((id) => laneFor(id) === lane));
    }
  });
});
