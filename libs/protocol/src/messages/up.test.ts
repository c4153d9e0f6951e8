import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as limits from '../limits.ts';
import { type UpEvent, upMessages } from './up.ts';

const subscription = {
  collection: 'tasks',
  filter: 'done == $0',
  args: [false],
  name: 'open',
  id: 's1',
  bootstrap: true,
};
const change = {
  id: 'c1',
  operation: 'update',
  collection: 'tasks',
  documentId: 'd1',
  data: { title: 'x' },
  unset: ['done'],
  timestamp: 1_764_000_000_000,
  version: 3,
};

/** What clients of every generation send. */
const accepted: Readonly<Record<UpEvent, readonly unknown[]>> = {
  'sync:join': [
    {},
    { userId: 'ann' },
    { token: 'a.b.c', clientId: 'phone', protocol: 1 },
    { protocol: 1, subscriptions: [subscription], checkpoint: '1.AA' },
    { userId: null, token: null, clientId: null, protocol: null, subscriptions: null, checkpoint: null },
    { userId: 'ann', deviceInfo: { os: 'x' } },
  ],
  'sync:auth': [{ token: 'a.b.c' }],
  'sync:change': [
    change,
    { operation: 'insert', collectionName: 'tasks', documentId: { $oid: '507f1f77bcf86cd799439011' }, patchId: 'p1' },
    {
      operation: 'delete',
      collection: 'tasks',
      documentId: 'd1',
      data: null,
      unset: null,
      timestamp: null,
      version: null,
    },
    { operation: 'upsert', collection: 'tasks', documentId: 'd1', userId: 'eve', id: null, patchId: null },
  ],
  'sync:changeBatch': [
    { changes: [] },
    { changes: [change, 'broken', null], atomic: true },
    { changes: [], atomic: null },
  ],
  'sync:batch_changes': [[], [change, 7]],
  'sync:subscribe': [
    { collection: 'tasks' },
    { ...subscription, checkpoint: '1.AA' },
    { collection: 'tasks', query: 'done == false', filter: null, args: null, name: null, id: null, bootstrap: null },
  ],
  'sync:unsubscribe': [{ subscriptionId: 's1' }, { collection: 'tasks', filter: 'done == $0', args: [1] }, {}],
  'sync:update_subscriptions': [{ subscriptions: [] }, { subscriptions: [subscription], checkpoint: '1.AA' }],
  'sync:get_changes': [
    {},
    { since: 0 },
    { since: 1_764_000_000_000, limit: 1_000, collection: 'tasks', filter: '', args: [] },
    { checkpoint: '1.AA', limit: 5_000 },
    { since: null, checkpoint: null, limit: null, collection: null },
  ],
  'sync:mark': [{}, undefined, null],
  mongoUpsert: [
    { collection: 'tasks', update: { title: 'x', sync_updated_at: 5 }, query: { _id: 'd1' }, patchId: 'p1' },
    { collection: 'tasks', update: { id: 'd1', title: 'x' } },
    { collection: 'tasks', update: {}, query: null, patchId: null },
  ],
  mongoDelete: [
    { collection: 'tasks', query: { _id: 'd1' }, patchId: 'p1' },
    { collection: 'tasks', query: {} },
  ],
  ping: [undefined, null, {}, { t: 5 }, { t: null }],
};

const long = (length: number) => 'x'.repeat(length + 1);
const many = (length: number) => new Array<unknown>(length + 1).fill({ collection: 'tasks' });

const refused: Readonly<Record<UpEvent, readonly unknown[]>> = {
  'sync:join': [
    null,
    'ann',
    [],
    { userId: 7 },
    { userId: '' },
    { userId: long(limits.userId) },
    { token: {} },
    { token: long(limits.token) },
    { protocol: '1' },
    { protocol: 1.5 },
    { subscriptions: {} },
    { subscriptions: [{}] },
    { subscriptions: many(limits.subscriptionsPerSocket) },
    { checkpoint: 5 },
    { checkpoint: long(limits.checkpoint) },
  ],
  'sync:auth': [{}, { token: 7 }, { token: null }, null, { token: long(limits.token) }],
  'sync:change': [
    null,
    [],
    {},
    { ...change, operation: undefined },
    { ...change, operation: 7 },
    { ...change, id: 7 },
    { ...change, id: long(limits.changeId) },
    { ...change, collection: {} },
    { ...change, unset: 'done' },
    { ...change, unset: new Array<string>(limits.unsetFields + 1).fill('f') },
    { ...change, unset: [long(limits.fieldName)] },
    { ...change, timestamp: '5' },
    { ...change, timestamp: -1 },
    { ...change, version: -1 },
  ],
  'sync:changeBatch': [null, [], {}, { changes: {} }, { changes: [], atomic: 'yes' }],
  'sync:batch_changes': [null, {}, { changes: [] }, 'x'],
  'sync:subscribe': [
    null,
    {},
    { collection: '' },
    { collection: 7 },
    { collection: long(limits.collectionName) },
    { ...subscription, filter: 7 },
    { ...subscription, filter: long(limits.filter) },
    { ...subscription, args: {} },
    { ...subscription, args: many(limits.filterArguments) },
    { ...subscription, id: '' },
    { ...subscription, id: long(limits.subscriptionId) },
    { ...subscription, bootstrap: 'no' },
    { ...subscription, checkpoint: {} },
  ],
  'sync:unsubscribe': [null, 's1', { subscriptionId: 7 }, { subscriptionId: '' }, { collection: 7 }, { filter: [] }],
  'sync:update_subscriptions': [
    null,
    {},
    { subscriptions: null },
    { subscriptions: [null] },
    { subscriptions: many(limits.subscriptionsPerSocket) },
    { subscriptions: [], checkpoint: 7 },
  ],
  'sync:get_changes': [
    null,
    { since: '5' },
    { since: -1 },
    { limit: 0 },
    { limit: 1.5 },
    { limit: '9' },
    { collection: 7 },
  ],
  'sync:mark': ['x', 7, []],
  mongoUpsert: [null, {}, { collection: 'tasks' }, { collection: 7, update: {} }, { collection: 'tasks', update: [] }],
  mongoDelete: [null, {}, { collection: 'tasks' }, { collection: 'tasks', query: 'd1' }, { query: { _id: 'd1' } }],
  ping: ['x', 5, { t: '5' }],
};

const cases = (table: Readonly<Record<UpEvent, readonly unknown[]>>) =>
  Object.entries(table).flatMap(([event, payloads]) =>
    payloads.map((payload) => [event as UpEvent, JSON.stringify(payload)?.slice(0, 100), payload] as const),
  );

describe('what clients send', () => {
  it.each(cases(accepted))('%s takes %s', (event, _, payload) => {
    expect(upMessages[event].safeParse(payload)).toMatchObject({ success: true });
  });

  it.each(cases(refused))('%s refuses %s', (event, _, payload) => {
    expect(upMessages[event].safeParse(payload).success).toBe(false);
  });

  it.each(Object.keys(upMessages) as UpEvent[])('%s judges anything without throwing', (event) => {
    const incomparable = fc.constantFrom({ toString: 1, valueOf: 1 }, Object.create(null));
    const measured = fc.record({ length: incomparable, size: incomparable });
    const fields = Object.keys(Object.assign({}, ...accepted[event]));
    const fieldValue = fc.oneof(measured, fc.array(measured, { maxLength: 2 }), fc.anything());
    const payload = fc.oneof(fieldValue, fc.dictionary(fc.constantFrom('none', ...fields), fieldValue));
    fc.assert(
      fc.property(payload, (value) => {
        expect(typeof upMessages[event].safeParse(value).success).toBe('boolean');
      }),
    );
  });

  it('leaves members of batches to be judged one by one', () => {
    const payload = { changes: [change, { operation: 7 }], atomic: false };
    expect(upMessages['sync:changeBatch'].parse(payload)).toEqual(payload);
  });

  it('drops what it does not know', () => {
    expect(upMessages['sync:join'].parse({ userId: 'ann', isAdmin: true })).toEqual({ userId: 'ann' });
  });
});
