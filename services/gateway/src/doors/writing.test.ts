import { describe, expect, it } from '@jest/globals';
import type { Admission, RateLimiter } from '@tidemark/access';
import {
  ackMessages,
  brandAs,
  type JsonObject,
  type Lane,
  type Outcome,
  type Seq,
  SyncError,
  type UserId,
} from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';
import { silentTelemetry } from '@tidemark/telemetry';
import type { Changes, Submission, SubmissionResult } from '../write/changes.ts';
import { changeDoors } from './change-doors.ts';
import { Writing } from './writing.ts';

const userId = brandAs<UserId>('ann');
const writer = { session: { userId, author: { userId, claims: {} } }, origin: undefined };

/** What becomes of a change, by its id. */
type Fate = (id: string) => SubmissionResult;

const apply: Fate = (id) => ({
  kind: 'applied',
  changeId: id as never,
  timestamp: 5,
  lane: brandAs<Lane>(0),
  seq: brandAs<Seq>(1),
});
const lose: Fate = (id) =>
  ({ kind: 'superseded', changeId: id as never, timestamp: 5, current: null }) satisfies Outcome;

/** A store that knows one form of a date, and none of what is called bad. */
function canonical(fields: JsonObject): JsonObject {
  if (fields.bad !== undefined) throw new StoreError('invalid', 'cannot be held');
  return fields.at === undefined ? fields : { ...fields, at: { $date: '2026-11-24T10:00:00.000Z' } };
}

function rig({ fate = apply, admission }: { fate?: Fate; admission?: Admission } = {}) {
  const submissions: Submission[] = [];
  const admitted: number[] = [];
  const changes = {
    submit: async (submission: Submission) => {
      submissions.push(submission);
      return submission.changes.map(({ id }) => fate(id));
    },
  } as unknown as Changes;
  const rateLimiter = {
    admit: (_user: UserId, count: number) => {
      admitted.push(count);
      return admission;
    },
  } as unknown as RateLimiter;
  const writing = new Writing({
    changes,
    store: { canonical },
    rateLimiter: admission === undefined ? undefined : rateLimiter,
    telemetry: silentTelemetry(),
    settings: { maxBatchSize: 5 },
    now: () => 99,
  });
  const ids = () => submissions.map((submission) => submission.changes.map(({ id }) => String(id)));
  return { writing, submissions, ids, admitted };
}

const change = (id: string, more: object = {}) => ({
  id,
  operation: 'update',
  collection: 'tasks',
  documentId: 'd1',
  data: {},
  ...more,
});
const open: Admission = { admitted: true } as Admission;
const closed = { admitted: false, retryAfterMs: 70 } as Admission;
const plain = { atomic: false, lenientOperation: true };
const atomic = { atomic: true, lenientOperation: true };
const codes = (acks: readonly { code?: string | undefined }[]) => acks.map(({ code }) => code);

describe('one change', () => {
  it('goes on in the form in which the store will give it back; what it cannot hold is left to the writer', async () => {
    const { writing, submissions } = rig();
    const [at, bad, plain] = [{ at: { $date: 0 } }, { bad: 1 }, { n: 1 }];
    const inputs = [at, bad, plain].map((data, index) => change(`c${index}`, { data }));
    await writing.many(writer, inputs, { atomic: false, lenientOperation: false });
    await writing.one(writer, change('alone', { data: at }));
    const stored = { at: { $date: '2026-11-24T10:00:00.000Z' } };
    const sent = submissions.map((submission) => submission.changes.map(({ data }) => data));
    expect(sent).toEqual([[stored, bad, plain], [stored]]);
  });

  it('is parsed, submitted and answered', async () => {
    const { writing, ids } = rig();
    expect(await writing.one(writer, change('a'))).toMatchObject({ changeId: 'a', success: true, outcome: 'applied' });
    expect(ids()).toEqual([['a']]);
  });

  it('that cannot be one is rejected under its id, and not submitted', async () => {
    const { writing, ids } = rig();
    const ack = await writing.one(writer, change('a', { collection: '' }));
    expect(ack).toMatchObject({ changeId: 'a', outcome: 'rejected', code: 'invalid_message', timestamp: 99 });
    expect(await writing.one(writer, null)).toMatchObject({ changeId: expect.any(String), code: 'invalid_message' });
    expect(ids()).toEqual([]);
  });

  it('waits for the rate limit', async () => {
    const { writing, ids, admitted } = rig({ admission: closed });
    expect(await writing.one(writer, change('a'))).toMatchObject({
      code: 'rate_limited',
      error: 'rate_limit_exceeded',
      retryAfterMs: 70,
    });
    expect(ids()).toEqual([]);
    expect(admitted).toEqual([1]);
  });
});

describe('a batch', () => {
  it('answers in order, each bad one alone', async () => {
    const { writing, ids } = rig({ fate: (id) => (id === 'c' ? lose(id) : apply(id)) });
    const acks = await writing.many(writer, [change('a'), { id: 'b' }, change('c'), 'x', change('d')], plain);
    expect(acks.map(({ changeId }) => changeId).slice(0, 3)).toEqual(['a', 'b', 'c']);
    expect(codes(acks)).toEqual([undefined, 'invalid_message', 'conflict', 'invalid_message', undefined]);
    expect(ids()).toEqual([['a', 'c', 'd']]);
    const batch = writing.batchAck(acks, performance.now(), false);
    expect(batch).toMatchObject({ success: true, totalProcessed: 5, successCount: 2 });
    expect(ackMessages['sync:changeBatch'].safeParse(batch)).toMatchObject({ success: true });
  });

  it('counts for the rate limit with what is good in it', async () => {
    const { writing, admitted } = rig({ admission: open });
    await writing.many(writer, [change('a'), 'x', change('b')], plain);
    await writing.many(writer, ['x', 'y'], plain);
    expect(admitted).toEqual([2]);
  });

  it.each([
    ['none', [], 'invalid_message', 'No changes provided'],
    ['too many', new Array(6).fill(change('a')), 'too_large', 'a batch holds at most 5 changes'],
  ])('of %s is refused as a whole', async (_, inputs, code, message) => {
    await expect(rig().writing.many(writer, inputs, plain)).rejects.toMatchObject({ code, message });
  });

  it('over the rate limit is refused as a whole', async () => {
    const { writing, ids } = rig({ admission: closed });
    await expect(writing.many(writer, [change('a')], plain)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(ids()).toEqual([]);
  });

  it('carries the errors of what could not be decided', async () => {
    const fate: Fate = (id) => (id === 'b' ? new SyncError('unavailable', 'later', { retryAfterMs: 5 }) : apply(id));
    const acks = await rig({ fate }).writing.many(writer, [change('a'), change('b')], plain);
    expect(acks[1]).toMatchObject({ changeId: 'b', outcome: 'rejected', code: 'unavailable', retryAfterMs: 5 });
  });
});

describe('an atomic batch', () => {
  it('is submitted as one', async () => {
    const { writing, submissions } = rig();
    const acks = await writing.many(writer, [change('a'), change('b')], atomic);
    expect(submissions).toMatchObject([{ atomic: true, changes: [{ id: 'a' }, { id: 'b' }] }]);
    expect(writing.batchAck(acks, 0, true)).toMatchObject({ success: true, successCount: 2 });
  });

  it('with a bad member is aborted here: that has its own code, the others are aborted', async () => {
    const { writing, ids, admitted } = rig({ admission: open });
    const acks = await writing.many(writer, [change('a'), change('b', { data: { $set: 1 } }), change('c')], atomic);
    expect(codes(acks)).toEqual(['atomic_aborted', 'invalid_document', 'atomic_aborted']);
    expect(acks.map(({ changeId }) => changeId)).toEqual(['a', 'b', 'c']);
    expect([ids(), admitted]).toEqual([[], []]);
    expect(writing.batchAck(acks, 0, true)).toMatchObject({ success: false, successCount: 0, code: 'atomic_aborted' });
  });
});

describe('the doors of older dialects', () => {
  const connection = { id: 's1', requireSession: () => writer.session } as never;

  it('mongoUpsert is an update of the document, and ok also when it lost', async () => {
    const { writing, submissions } = rig();
    const doors = changeDoors(writing);
    const update = { id: 'x', patchId: 'y', userId: 'eve', title: 't', sync_updated_at: 42 };
    const reply = await doors.mongoUpsert!.handle(connection, {
      collection: 'tasks',
      update,
      query: { _id: 'd1' },
      patchId: 'p1',
    });
    expect(reply.answer).toBe('ok');
    expect(submissions[0]?.changes).toMatchObject([
      { id: 'p1', operation: 'update', documentId: 'd1', data: { title: 't' }, timestamp: 42 },
    ]);
    expect(submissions[0]?.changes[0]?.data).toEqual({ title: 't' });
    const lost = changeDoors(rig({ fate: lose }).writing);
    expect((await lost.mongoUpsert!.handle(connection, { collection: 'tasks', update, query: null })).answer).toBe(
      'ok',
    );
  });

  it('mongoUpsert that cannot be is an error', () => {
    expect(changeDoors(rig().writing).mongoUpsert!.refuse(new SyncError('invalid_message', 'x'), {})).toBe('error');
  });

  it('mongoDelete says whether it lost', async () => {
    const payload = { collection: 'tasks', query: { _id: 'd1' } };
    expect((await changeDoors(rig().writing).mongoDelete!.handle(connection, payload)).answer).toEqual({
      success: true,
    });
    expect((await changeDoors(rig({ fate: lose }).writing).mongoDelete!.handle(connection, payload)).answer).toEqual({
      success: false,
      error: expect.stringMatching(/^conflict/),
      conflict: true,
    });
  });

  it.each([
    [{ collection: 'tasks', query: {} }, 'error'],
    [{ collection: '', query: { _id: 'd1' } }, 'error'],
    [null, 'error'],
    [
      { collection: 'tasks', query: { _id: 'd1' } },
      { success: false, error: 'why' },
    ],
  ])('mongoDelete of %j is refused with %j', (payload, answer) => {
    expect(changeDoors(rig().writing).mongoDelete!.refuse(new SyncError('invalid_message', 'why'), payload)).toEqual(
      answer,
    );
  });

  it('sync:batch_changes answers a bare list, and keeps to the words of operations', async () => {
    const { answer } = await changeDoors(rig().writing)['sync:batch_changes']!.handle(connection, [
      change('a'),
      change('b', { operation: 'patch' }),
    ]);
    expect(answer).toMatchObject([
      { changeId: 'a', success: true },
      { changeId: 'b', code: 'invalid_message' },
    ]);
  });

  it('sync:changeBatch takes any word for an update', async () => {
    const { answer } = await changeDoors(rig().writing)['sync:changeBatch']!.handle(connection, {
      changes: [change('b', { operation: 'patch' })],
    });
    expect(answer).toMatchObject({ success: true, results: [{ changeId: 'b', success: true }] });
  });
});
