import { describe, expect, it } from '@jest/globals';
import { brandAs, downMessages, type Entry, type UserId } from '@tidemark/protocol';
import { MemoryHistory, type Write } from '../testing/memory-history.ts';
import { liveEffect, type Receiver, receiverEffect } from './receiver.ts';
import { asInsert, type Effect, EntryMessages, effectOf, type Membership } from './view-change.ts';

/** The last of some writes, as an entry. */
function entryOf(...writes: readonly Partial<Write>[]): Entry {
  const history = new MemoryHistory();
  const entries = writes.map((write) => history.commit({ operation: 'insert', id: 'd1', ...write }));
  return entries.at(-1)!;
}

const views: Readonly<Record<string, Membership>> = {
  inside: { before: true, after: true },
  enters: { before: false, after: true },
  leaves: { before: true, after: false },
  outside: { before: false, after: false },
};

const inserted = entryOf({});
const replaced = entryOf({}, { data: { n: 1 } });
const updated = entryOf({ data: { n: 1, old: true } }, { operation: 'update', data: { n: 2 }, unset: ['old'] });
const deleted = entryOf({}, { operation: 'delete' });

describe('what an entry means to a view', () => {
  it.each<[string, Entry, keyof typeof views, Effect | undefined]>([
    ['a new document', inserted, 'enters', 'whole'],
    ['a new document that it does not see', inserted, 'outside', undefined],
    ['a replaced document', replaced, 'inside', 'whole'],
    ['a replaced document that now matches', replaced, 'enters', 'whole'],
    ['a replaced document that no longer matches', replaced, 'leaves', 'left'],
    ['an updated document', updated, 'inside', 'patch'],
    ['an updated document that now matches', updated, 'enters', 'whole'],
    ['an updated document that no longer matches', updated, 'leaves', 'left'],
    ['a deleted document', deleted, 'leaves', 'deleted'],
    ['a deleted document that it did not see', deleted, 'outside', undefined],
  ])('%s', (_, entry, view, effect) => {
    expect(effectOf(entry, views[view]!)).toBe(effect);
  });
});

describe('the message', () => {
  it('of a whole document holds what the document is now', () => {
    expect(new EntryMessages(updated).get('whole')).toEqual({
      id: updated.id,
      userId: 'writer',
      timestamp: updated.timestamp,
      operation: 'insert',
      collection: 'tasks',
      documentId: 'd1',
      version: 2,
      data: { _id: 'd1', n: 2, sync_updated_at: updated.timestamp, _updated_by: 'writer', sync_version: 2 },
    });
  });

  it('of a patch holds what took effect', () => {
    const message = new EntryMessages(updated).get('patch');
    expect(message).toMatchObject({ operation: 'update', data: { n: 2 }, unset: ['old'], version: 2 });
    const plain = entryOf({}, { operation: 'update', data: { n: 2 } });
    expect(new EntryMessages(plain).get('patch')).not.toHaveProperty('unset');
  });

  it('of what goes holds no data', () => {
    for (const reason of ['deleted', 'left'] as const) {
      const message = new EntryMessages(deleted).get(reason);
      expect(message).toMatchObject({ operation: 'delete', reason, documentId: 'd1' });
      expect(message).not.toHaveProperty('data');
    }
  });

  it('obeys the contract, and is made once', () => {
    const messages = new EntryMessages(updated);
    const all = (['whole', 'patch', 'left', 'deleted'] as const).map((effect) => messages.get(effect));
    expect(downMessages['sync:changes'].safeParse([all, { checkpoint: 't' }])).toMatchObject({ success: true });
    expect(messages.get('whole')).toBe(all[0]);
  });
});

describe('a document as it stands', () => {
  it('looks as if it had just been inserted', () => {
    expect(asInsert('tasks', updated.after!)).toMatchObject({
      operation: 'insert',
      userId: 'writer',
      version: 2,
      timestamp: updated.timestamp,
      data: updated.after,
    });
  });

  it('is the oldest, and nobody’s, when it was never written through us', () => {
    const message = asInsert('tasks', { _id: { $oid: '507f1f77bcf86cd799439011' }, title: 'x' });
    expect(message).toMatchObject({ userId: null, version: 0, timestamp: 0 });
    expect(downMessages['sync:changes'].safeParse([[message], { checkpoint: 't' }])).toMatchObject({ success: true });
  });
});

const receiver = (echo: boolean) => ({ id: 'socket1', userId: brandAs<UserId>('ann'), echo }) as Receiver;

describe('what an old client gets of its own writes', () => {
  const own = (operation: 'insert' | 'update' | 'delete') => entryOf({}, { operation, origin: 'socket1' });

  it.each<['insert' | 'update' | 'delete', keyof typeof views, Effect | undefined]>([
    ['update', 'inside', undefined],
    ['update', 'enters', 'whole'],
    ['update', 'leaves', 'left'],
    ['insert', 'inside', undefined],
    ['insert', 'enters', undefined],
    ['insert', 'leaves', 'left'],
    ['delete', 'leaves', undefined],
    ['update', 'outside', undefined],
  ])('%s, the document is or goes %s', (operation, view, effect) => {
    expect(receiverEffect(receiver(false), own(operation), views[view]!)).toBe(effect);
  });

  it('is all of it with BROADCAST_TO_SENDER, and for modern clients', () => {
    expect(receiverEffect(receiver(true), own('update'), views.inside!)).toBe('patch');
    expect(receiverEffect(receiver(true), own('delete'), views.leaves!)).toBe('deleted');
  });

  it('is all that its other sockets and other users wrote', () => {
    const other = entryOf({}, { operation: 'update', origin: 'socket2' });
    expect(receiverEffect(receiver(false), other, views.inside!)).toBe('patch');
  });
});

describe('a live delivery that is narrowed', () => {
  const narrowed = entryOf({}, { operation: 'update', emitTo: ['ann', 'bob'] });

  it('goes to the named users alone', () => {
    expect(liveEffect(receiver(true), narrowed, views.inside!)).toBe('patch');
    const other = { ...receiver(true), userId: brandAs<UserId>('eve') };
    expect(liveEffect(other, narrowed, views.inside!)).toBeUndefined();
  });

  it('is not kept from who catches up', () => {
    const other = { ...receiver(true), userId: brandAs<UserId>('eve') };
    expect(receiverEffect(other, narrowed, views.inside!)).toBe('patch');
  });
});
