import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  brandAs,
  type Change,
  type ChangeId,
  type CollectionName,
  type DocumentKey,
  type Epoch,
  type GatewayId,
  type JobId,
  type Lane,
  type Outcome,
  type Seq,
  SyncError,
  type UserId,
  type WriteRequest,
} from '@tidemark/protocol';
import { silentTelemetry } from '@tidemark/telemetry';
import type { WriteJob } from '@tidemark/transport';
import { LaneBatcher } from './lane-batcher.ts';

function change(id: string, text = ''): Change {
  return {
    id: brandAs<ChangeId>(id),
    operation: 'update',
    collection: brandAs<CollectionName>('tasks'),
    documentId: 'd1',
    key: brandAs<DocumentKey>('d1'),
    data: { text },
    unset: [],
    timestamp: undefined,
    version: undefined,
  };
}

function request(...ids: readonly string[]): WriteRequest {
  const author = { userId: brandAs<UserId>('ann'), claims: {} };
  return { author, origin: undefined, atomic: false, emitTo: undefined, changes: ids.map((id) => change(id)) };
}

function applied(id: string): Outcome {
  const lane = brandAs<Lane>(0);
  return { kind: 'applied', changeId: brandAs<ChangeId>(id), timestamp: 1, lane, seq: brandAs<Seq>(1) };
}

function rig(settings: Partial<ConstructorParameters<typeof LaneBatcher>[0]['settings']> = {}) {
  const jobs: WriteJob[] = [];
  let refusal: unknown;
  const enqueue = async (job: WriteJob) => {
    if (refusal !== undefined) throw refusal;
    jobs.push(job);
  };
  const batcher = new LaneBatcher({
    queue: { enqueue } as unknown as ConstructorParameters<typeof LaneBatcher>[0]['queue'],
    gateway: brandAs<GatewayId>('g1'),
    epoch: brandAs<Epoch>(1),
    lane: brandAs<Lane>(0),
    telemetry: silentTelemetry(),
    settings: { maxJobChanges: 100, maxWaitingChanges: 1_000, jobTimeoutMs: 5_000, ...settings },
  });
  const idsOf = (job: WriteJob | undefined) =>
    job?.requests.flatMap(({ changes }) => changes.map(({ id }) => String(id)));
  return {
    batcher,
    jobs,
    refuseWith: (error: unknown) => {
      refusal = error;
    },
    ids: () => jobs.map(idsOf),
    answer: (job: WriteJob | undefined) =>
      batcher.accept({
        job: job!.id,
        outcomes: job!.requests.map(({ changes }) => changes.map(({ id }) => applied(id))),
      }),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a lane of the gateway', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance', 'queueMicrotask', 'nextTick'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('makes one job of what one turn brings, and gives each its own outcomes', async () => {
    const { batcher, ids, jobs, answer } = rig();
    const results = [batcher.submit(request('a')), batcher.submit(request('b', 'c'))];
    await turn();
    expect(ids()).toEqual([['a', 'b', 'c']]);
    answer(jobs[0]);
    expect((await Promise.all(results)).map((outcomes) => outcomes.map(({ changeId }) => changeId))).toEqual([
      ['a'],
      ['b', 'c'],
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has one job in flight: what arrives meanwhile forms the next, in order', async () => {
    const { batcher, ids, jobs, answer } = rig();
    void batcher.submit(request('a'));
    await turn();
    for (const id of ['b', 'c', 'd']) {
      void batcher.submit(request(id));
      await turn();
    }
    expect(ids()).toEqual([['a']]);
    expect(batcher.pending).toBe(4);
    answer(jobs[0]);
    await turn();
    expect(ids()).toEqual([['a'], ['b', 'c', 'd']]);
    answer(jobs[1]);
    expect(batcher.pending).toBe(0);
  });

  it('keeps jobs to their size, and lets a request alone exceed it', async () => {
    const { batcher, ids, jobs, answer } = rig({ maxJobChanges: 3 });
    for (const one of [request('a', 'b'), request('c', 'd'), request('e', 'f', 'g', 'h'), request('i')])
      void batcher.submit(one);
    for (let index = 0; index < 4; index++) {
      await turn();
      if (jobs[index] !== undefined) answer(jobs[index]);
    }
    expect(ids()).toEqual([['a', 'b'], ['c', 'd'], ['e', 'f', 'g', 'h'], ['i']]);
  });

  it('keeps jobs to their bytes', async () => {
    const { batcher, ids, jobs, answer } = rig();
    const large = (id: string): WriteRequest => ({ ...request(), changes: [change(id, 'x'.repeat(3 * 1024 * 1024))] });
    for (const one of [large('a'), large('b'), request('c')]) void batcher.submit(one);
    await turn();
    answer(jobs[0]);
    await turn();
    expect(ids()).toEqual([['a'], ['b', 'c']]);
  });

  it('refuses what is too much to wait, by number', async () => {
    const { batcher, jobs, answer } = rig({ maxWaitingChanges: 3 });
    void batcher.submit(request('a'));
    await turn();
    const waiting = [batcher.submit(request('b', 'c')), batcher.submit(request('d', 'e'))];
    await expect(batcher.submit(request('f'))).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 });
    answer(jobs[0]);
    await turn();
    answer(jobs[1]);
    await Promise.all(waiting);
    await turn();
    void batcher.submit(request('g'));
    await turn();
    expect(jobs).toHaveLength(3);
  });

  it('counts the fields that go away, and whom a change is for', async () => {
    const { batcher, jobs } = rig();
    const names = Array.from({ length: 1_000 }, (_, index) => `${index}`.padEnd(3_000, 'x'));
    const unsetting = { ...request(), changes: [{ ...change('a'), unset: names }] };
    const narrowed = { ...request('b'), emitTo: names.map((name) => brandAs<UserId>(name)) };
    for (const one of [unsetting, narrowed, request('c')]) void batcher.submit(one);
    await turn();
    expect(jobs.map(({ requests }) => requests.length)).toEqual([1]);
  });

  it('refuses what is too much to wait, by bytes, and takes more when it is gone', async () => {
    const { batcher, jobs, answer } = rig({ maxWaitingChanges: 1_000_000 });
    const large = (): WriteRequest => ({ ...request(), changes: [change('x', 'x'.repeat(4 * 1024 * 1024))] });
    const results = Array.from({ length: 30 }, () =>
      batcher.submit(large()).then(
        () => 'ok',
        (error: SyncError) => error.code,
      ),
    );
    for (let index = 0; index < 30; index++) {
      await turn();
      if (jobs[index] !== undefined) answer(jobs[index]);
    }
    const codes = await Promise.all(results);
    expect(codes.slice(0, 16).every((code) => code === 'ok')).toBe(true);
    expect(codes.at(-1)).toBe('overloaded');
    void batcher.submit(large());
    await turn();
    expect(jobs.length).toBe(codes.filter((code) => code === 'ok').length + 1);
  });

  it('gives up a job without an answer, and goes on with the next', async () => {
    const { batcher, ids, jobs, answer } = rig();
    const first = batcher.submit(request('a'));
    const failed = expect(first).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 });
    await turn();
    const second = batcher.submit(request('b'));
    await jest.advanceTimersByTimeAsync(4_999);
    expect(jobs).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    await failed;
    await turn();
    expect(ids()).toEqual([['a'], ['b']]);
    expect(answer(jobs[0])).toBe(false);
    expect(batcher.pending).toBe(1);
    expect(answer(jobs[1])).toBe(true);
    expect(await second).toEqual([applied('b')]);
  });

  it('takes no notice of answers that are not for it, or come twice', async () => {
    const { batcher, jobs, answer } = rig();
    const result = batcher.submit(request('a'));
    await turn();
    expect(batcher.accept({ job: brandAs<JobId>('other'), outcomes: [[applied('x')]] })).toBe(false);
    expect(answer(jobs[0])).toBe(true);
    expect(answer(jobs[0])).toBe(false);
    expect(await result).toEqual([applied('a')]);
  });

  it('says so when an answer leaves a request out', async () => {
    const { batcher, jobs } = rig();
    const results = [batcher.submit(request('a')), batcher.submit(request('b'))];
    const failed = expect(results[1]).rejects.toMatchObject({ code: 'internal' });
    await turn();
    batcher.accept({ job: jobs[0]!.id, outcomes: [[applied('a')]] });
    expect(await results[0]).toEqual([applied('a')]);
    await failed;
  });

  it.each([
    [new SyncError('overloaded', 'the lane is full', { retryAfterMs: 7 }), { code: 'overloaded', retryAfterMs: 7 }],
    [new Error('connection refused: secret'), { code: 'unavailable', message: 'the queue does not take changes now' }],
  ])('passes on that the queue takes nothing (%s), and tries the next', async (error, expected) => {
    const { batcher, refuseWith, jobs, answer } = rig();
    refuseWith(error);
    const failed = expect(batcher.submit(request('a'))).rejects.toMatchObject(expected);
    await turn();
    await failed;
    refuseWith(undefined);
    const result = batcher.submit(request('b'));
    await turn();
    answer(jobs[0]);
    expect(await result).toEqual([applied('b')]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
