import { describe, expect, it } from '@jest/globals';
import { ackMessages, type DownEvent, downMessages } from './down.ts';

const whole = { _id: 'd1', title: 'x', sync_updated_at: 5, _updated_by: 'ann', sync_version: 3 };
const head = { id: 'c1', userId: 'ann', timestamp: 5, collection: 'tasks', documentId: 'd1', version: 3 };
const insert = { ...head, operation: 'insert', data: whole };
const limits = { maxBatchSize: 100, maxMessageBytes: 1_048_576, rateLimitMax: 50, rateLimitWindowMs: 10_000 };

const accepted: Readonly<Record<DownEvent, readonly unknown[]>> = {
  joined: [{ userId: 'ann', timestamp: 5, subscriptionVersion: 0 }],
  pong: [{ timestamp: 5 }, { timestamp: 5, clientTimestamp: 4, latency: 1 }],
  'sync:bootstrap': [
    { subscription: 's1', collection: 'tasks', data: [whole], page: 0, hasMore: true },
    { subscription: 's1', collection: 'tasks', data: [], page: 1, hasMore: false, checkpoint: '1.AA' },
  ],
  'sync:bootstrap_error': [{ subscription: 's1', collection: 'tasks', code: 'unavailable', error: 'later' }],
  'sync:changes': [
    [[insert], { checkpoint: '1.AA' }],
    [
      [
        { ...head, operation: 'update', data: { title: 'y' }, unset: ['done'] },
        { ...head, operation: 'delete', reason: 'left' },
        { ...head, operation: 'delete', reason: 'deleted', documentId: { $oid: '507f1f77bcf86cd799439011' } },
        { ...insert, userId: null, subscription: 's1' },
      ],
      { checkpoint: '1.AA' },
    ],
  ],
  'sync:checkpoint': [{ checkpoint: '1.AA' }],
  'sync:reset': [{ reason: 'too old' }, { reason: 'too old', collections: ['tasks'] }],
  'sync:drain': [{ reconnectAfterMs: 1_200 }],
  'sync:error': [
    { code: 'internal', error: 'a sentence' },
    { event: 'sync:change', code: 'rate_limited', error: 'rate_limit_exceeded', retryAfterMs: 100 },
  ],
  'sync:notice': [{ message: 'back at noon' }],
};

const refused: Readonly<Record<DownEvent, readonly unknown[]>> = {
  joined: [{ userId: 'ann' }, { userId: 7, timestamp: 5, subscriptionVersion: 0 }],
  pong: [{}, { timestamp: 'now' }],
  'sync:bootstrap': [{ subscription: 's1', collection: 'tasks', data: {}, page: 0, hasMore: true }, { data: [] }],
  'sync:bootstrap_error': [{ subscription: 's1', collection: 'tasks', code: 'unavailable' }],
  'sync:changes': [
    [],
    [[insert]],
    [[insert], {}],
    [insert, { checkpoint: '1.AA' }],
    [[{ ...insert, operation: 'upsert' }], { checkpoint: '1.AA' }],
    [[{ ...insert, reason: 'gone' }], { checkpoint: '1.AA' }],
    [[{ ...insert, documentId: 7 }], { checkpoint: '1.AA' }],
    [[{ ...insert, version: undefined }], { checkpoint: '1.AA' }],
  ],
  'sync:checkpoint': [{}, '1.AA'],
  'sync:reset': [{}, { reason: 'x', collections: 'tasks' }],
  'sync:drain': [{}],
  'sync:error': [{ code: 'internal' }],
  'sync:notice': [{}, { message: 7 }],
};

const ack = { changeId: 'c1', success: true, timestamp: 5, outcome: 'applied', lane: 0, seq: 3 };
const lost = { ...ack, success: false, outcome: 'superseded', code: 'conflict', error: 'conflict: newer' };
const page = { success: true, changes: [insert], latestTimestamp: 5, checkpoint: '1.AA', hasMore: false, count: 1 };
const batch = { success: true, results: [ack], totalProcessed: 1, successCount: 1, latency: 2 };
const joined = {
  success: true,
  userId: 'ann',
  timestamp: 5,
  protocol: 1,
  historyId: 'h',
  checkpoint: '1.AA',
  subscriptionVersion: 0,
  limits,
};

type AckEvent = keyof typeof ackMessages;

const acks: Readonly<Record<AckEvent, { readonly good: readonly unknown[]; readonly bad: readonly unknown[] }>> = {
  'sync:join': {
    good: [joined, { ...joined, subscriptionIds: ['s1'] }],
    bad: [
      { ...joined, success: false },
      { ...joined, limits: {} },
      { ...joined, checkpoint: null },
    ],
  },
  'sync:auth': {
    good: [{ success: true, expiresAt: 5 }, { success: true }],
    bad: [{ success: true, expiresAt: 'later' }, {}],
  },
  'sync:change': {
    good: [
      ack,
      { ...lost, current: whole },
      { ...lost, current: null },
      lost,
      { ...ack, outcome: 'duplicate' },
      { ...lost, outcome: 'rejected', code: 'rate_limited', retryAfterMs: 100 },
    ],
    bad: [
      { ...ack, outcome: 'lost' },
      { ...ack, changeId: undefined },
      { ...lost, current: 'x' },
    ],
  },
  'sync:changeBatch': {
    good: [batch, { ...batch, success: false, results: [], code: 'too_large', error: 'a sentence' }],
    bad: [
      { ...batch, results: [{}] },
      { ...batch, latency: undefined },
    ],
  },
  'sync:subscribe': {
    good: [{ success: true, subscriptionId: 's1', resumed: false, count: 1 }],
    bad: [{ success: true, subscriptionId: 's1', count: 1 }],
  },
  'sync:unsubscribe': { good: [{ success: true, count: 0 }], bad: [{ success: true }] },
  'sync:update_subscriptions': {
    good: [{ success: true, version: 2, timestamp: 5, subscriptionIds: [] }],
    bad: [{ success: true, version: 2, timestamp: 5 }],
  },
  'sync:get_changes': {
    good: [page],
    bad: [
      { ...page, changes: {} },
      { ...page, checkpoint: undefined },
    ],
  },
  'sync:mark': { good: [{ success: true, checkpoint: '1.AA' }], bad: [{ success: true }] },
  ping: { good: [{ timestamp: 5, clientTimestamp: 4, latency: 1 }], bad: [{}] },
  refusal: {
    good: [{ success: false }, { success: false, code: 'overloaded', error: 'later', retryAfterMs: 500 }],
    bad: [{ success: true }, { success: false, retryAfterMs: '5' }],
  },
};

function cases(table: Readonly<Record<string, readonly unknown[]>>) {
  return Object.entries(table).flatMap(([event, payloads]) =>
    payloads.map((payload) => [event as DownEvent, JSON.stringify(payload).slice(0, 100), payload] as const),
  );
}

const ackCases = (which: 'good' | 'bad') =>
  Object.entries(acks).flatMap(([event, lists]) =>
    lists[which].map((answer) => [event as AckEvent, JSON.stringify(answer).slice(0, 100), answer] as const),
  );

describe('what the server sends', () => {
  it.each(cases(accepted))('%s may be %s', (event, _, payload) => {
    expect(downMessages[event].safeParse(payload)).toMatchObject({ success: true });
  });

  it.each(cases(refused))('%s is never %s', (event, _, payload) => {
    expect(downMessages[event].safeParse(payload).success).toBe(false);
  });
});

describe('what the server answers', () => {
  it.each(ackCases('good'))('%s may be %s', (event, _, answer) => {
    expect(ackMessages[event].safeParse(answer)).toMatchObject({ success: true });
  });

  it.each(ackCases('bad'))('%s is never %s', (event, _, answer) => {
    expect(ackMessages[event].safeParse(answer).success).toBe(false);
  });
});
