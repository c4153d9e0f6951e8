import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as incoming from './incoming.ts';

const joinAck = {
  success: true,
  userId: 'ann',
  timestamp: 1,
  protocol: 1,
  historyId: 'h',
  checkpoint: 'c',
  subscriptionVersion: 1,
  limits: { maxBatchSize: 100, maxMessageBytes: 1_000, rateLimitMax: 1, rateLimitWindowMs: 1 },
};
const delivered = {
  id: 'c1',
  userId: 'ben',
  timestamp: 1,
  operation: 'update',
  collection: 'tasks',
  documentId: 'a',
  version: 1,
  data: {},
};
const ack = { changeId: 'c1', success: true, timestamp: 1, outcome: 'applied' };

describe('answers', () => {
  it('are what was asked for, or a refusal', () => {
    expect(incoming.parseAnswer(joinAck, incoming.parseJoinAck)).toBe(joinAck);
    const refusal = { success: false, code: 'overloaded', error: 'busy', retryAfterMs: 5, extra: 1 };
    expect(incoming.parseAnswer(refusal, incoming.parseJoinAck)).toEqual({
      success: false,
      code: 'overloaded',
      error: 'busy',
      retryAfterMs: 5,
    });
  });

  it.each([
    undefined,
    null,
    'ok',
    [],
    {},
    { success: 1 },
    { ...joinAck, limits: {} },
    { ...joinAck, userId: 5 },
    { success: false, code: 7 },
  ])('of no agreed shape are refused as internal: %j', (answer) => {
    expect(incoming.parseAnswer(answer, incoming.parseJoinAck)).toMatchObject({ success: false, code: 'internal' });
  });

  it('of batches keep their results, also when atomic ones were aborted', () => {
    const batch = { success: false, results: [ack], totalProcessed: 1, successCount: 0, latency: 1 };
    expect(incoming.parseBatchAck(batch)).toBe(batch);
    expect(incoming.parseBatchAck({ success: false, results: [], code: 'too_large', error: 'x' })).toMatchObject({
      code: 'too_large',
    });
    expect(incoming.parseBatchAck({ success: true, results: [{ ...ack, outcome: 'dreamt' }] })).toMatchObject({
      code: 'internal',
    });
    expect(incoming.parseBatchAck({ success: true, results: [] })).toMatchObject({ code: 'internal' });
  });

  it.each([
    { timestamp: '9' },
    { current: {} },
    { current: { _id: 'a', sync_version: '1' } },
    { retryAfterMs: 'soon' },
  ])('of batches are refused when a part of a result is not what it should be: %j', (part) => {
    const refused = incoming.parseBatchAck({ success: true, results: [ack, { ...ack, ...part }] });
    expect(refused).toMatchObject({ code: 'internal' });
  });
});

describe('events', () => {
  it('are taken in the agreed shape', () => {
    expect(incoming.parseChanges([delivered], { checkpoint: 'c' })).toEqual({ changes: [delivered], checkpoint: 'c' });
    expect(
      incoming.parseBootstrap({
        subscription: 's',
        collection: 'tasks',
        data: [{ _id: 'a' }],
        page: 0,
        hasMore: false,
      }),
    ).toBeDefined();
    expect(incoming.parseBootstrapError({ subscription: 's' })).toMatchObject({
      subscription: 's',
      code: 'internal',
      error: 'refused',
    });
    expect(incoming.parseReset({ reason: 'old' })).toBe('old');
    expect(incoming.parseDrain({ reconnectAfterMs: 7 })).toBe(7);
    expect(incoming.parseError({ code: 'x', error: 'y', event: 'z' })).toEqual({
      success: false,
      code: 'x',
      error: 'y',
    });
  });

  it.each([
    [[delivered], undefined],
    ['x', { checkpoint: 'c' }],
    [[{ ...delivered, operation: 'drop' }], { checkpoint: 'c' }],
    [[{ ...delivered, documentId: { $x: 1 } }], { checkpoint: 'c' }],
    [[{ ...delivered, version: '1' }], { checkpoint: 'c' }],
    [[{ ...delivered, data: undefined }], { checkpoint: 'c' }],
    [[{ ...delivered, unset: 5 }], { checkpoint: 'c' }],
    [[{ ...delivered, timestamp: '9' }], { checkpoint: 'c' }],
    [[{ ...delivered, data: { sync_version: '1' } }], { checkpoint: 'c' }],
  ])('are not taken in another one: %j %j', (changes, position) => {
    expect(incoming.parseChanges(changes, position)).toBeUndefined();
  });

  it.each([{ collection: undefined }, { data: [{ _id: 'a', sync_updated_at: '9' }] }, { checkpoint: 5 }])(
    'are not taken as a page in another one: %j',
    (part) => {
      const page = { subscription: 's', collection: 'tasks', data: [{ _id: 'a' }], page: 0, hasMore: false };
      expect(incoming.parseBootstrap({ ...page, ...part })).toBeUndefined();
    },
  );

  it('never make the client throw', () => {
    const parsers = [
      incoming.parseBootstrap,
      incoming.parseBootstrapError,
      incoming.parseCheckpoint,
      incoming.parseReset,
      incoming.parseDrain,
      incoming.parseError,
      incoming.parseBatchAck,
    ];
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (value, other) => {
        for (const parse of parsers) parse(value);
        incoming.parseChanges(value, other);
        incoming.parseAnswer(value, incoming.parseJoinAck);
      }),
    );
  });
});
