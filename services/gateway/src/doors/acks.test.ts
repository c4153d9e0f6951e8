import { describe, expect, it } from '@jest/globals';
import {
  ackMessages,
  brandAs,
  type ChangeId,
  type Document,
  type Lane,
  type Outcome,
  type Seq,
  SyncError,
} from '@tidemark/protocol';
import { ackFailure, ackOf, asSyncError, rejectedAck, resultAck } from './acks.ts';

const changeId = brandAs<ChangeId>('c1');
const at = { changeId, timestamp: 5 };
const place = { lane: brandAs<Lane>(2), seq: brandAs<Seq>(7) };
const current: Document = { _id: 'd1', title: 'theirs' };
const conflict = { code: 'conflict', error: expect.stringMatching(/^conflict: /) };

describe('the answer to a change', () => {
  it.each<[string, Outcome, object]>([
    ['applied', { kind: 'applied', ...at, ...place }, { ...at, success: true, outcome: 'applied', ...place }],
    [
      'superseded',
      { kind: 'superseded', ...at, current },
      { ...at, success: false, outcome: 'superseded', ...conflict, current },
    ],
    [
      'superseded by a delete',
      { kind: 'superseded', ...at, current: null },
      { ...at, success: false, outcome: 'superseded', ...conflict, current: null },
    ],
    [
      'superseded by what the author may not read',
      { kind: 'superseded', ...at, current: undefined },
      { ...at, success: false, outcome: 'superseded', ...conflict },
    ],
    [
      'a duplicate of one that was applied',
      { kind: 'duplicate', ...at, first: 'applied', ...place },
      { ...at, success: true, outcome: 'duplicate', ...place },
    ],
    [
      'a duplicate of one that lost',
      { kind: 'duplicate', ...at, first: 'superseded', current },
      { ...at, success: false, outcome: 'duplicate', ...conflict, current },
    ],
    [
      'rejected',
      { kind: 'rejected', ...at, code: 'schema_violation', error: 'title is missing' },
      { ...at, success: false, outcome: 'rejected', code: 'schema_violation', error: 'title is missing' },
    ],
    [
      'rejected for now',
      { kind: 'rejected', ...at, code: 'overloaded', error: 'later', retryAfterMs: 50 },
      { ...at, success: false, outcome: 'rejected', code: 'overloaded', error: 'later', retryAfterMs: 50 },
    ],
  ])('that was %s', (_, outcome, expected) => {
    const ack = ackOf(outcome);
    expect(ack).toEqual(expected);
    expect(ackMessages['sync:change'].safeParse(ack)).toMatchObject({ success: true });
    expect(ackFailure(ack)?.code).toBe(ack.success ? undefined : ack.code);
  });

  it('that was not decided has the error', () => {
    const error = new SyncError('unavailable', 'later', { retryAfterMs: 9 });
    const expected = {
      changeId,
      success: false,
      timestamp: 3,
      outcome: 'rejected',
      code: 'unavailable',
      error: 'later',
      retryAfterMs: 9,
    };
    expect(rejectedAck(changeId, error, 3)).toEqual(expected);
    expect(resultAck(changeId, error, 3)).toEqual(expected);
    expect(ackFailure(rejectedAck(changeId, error, 3))).toMatchObject({ code: 'unavailable', retryAfterMs: 9 });
  });

  it('does not tell what went wrong inside', () => {
    const ack = resultAck(changeId, new Error('password=hunter2'), 3);
    expect(ack).toMatchObject({ code: 'internal', outcome: 'rejected' });
    expect(JSON.stringify(ack)).not.toContain('hunter2');
    expect(asSyncError('text').code).toBe('internal');
  });
});
