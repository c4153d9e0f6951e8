import { describe, expect, it } from '@jest/globals';
import type { Document } from '@tidemark/protocol';
import { change, insert, remove, request, update, user } from '../testing/changes.ts';
import { clock, context, Desk, rulesOf } from '../testing/decisions.ts';
import { decideChange } from './decide-change.ts';

const bob = user('bob');

function foreign(document: Record<string, unknown>) {
  return { kind: 'document' as const, document: document as Document };
}

describe('what a change makes of a document', () => {
  it('an insert creates it whole, with the metadata', () => {
    const desk = new Desk();
    const { entry } = desk.apply(insert({ title: 'a' }, { timestamp: 10 }));
    const after = { _id: 'd1', title: 'a', sync_updated_at: 10, _updated_by: 'alice', sync_version: 1 };
    expect(desk.document).toEqual(after);
    expect(entry).toMatchObject({
      operation: 'insert',
      before: null,
      after,
      timestamp: 10,
      committedAt: clock,
      seq: 1,
    });
    expect(entry).not.toHaveProperty('data');
    expect(entry).not.toHaveProperty('unset');
  });

  it('an insert over a document replaces it whole and stays an insert', () => {
    const desk = new Desk();
    desk.apply(insert({ title: 'a', done: false }, { timestamp: 10 }));
    const { entry } = desk.apply(insert({ title: 'b' }, { timestamp: 11 }));
    expect(desk.fields).toEqual({ title: 'b' });
    expect(entry.operation).toBe('insert');
    expect(entry.before).toMatchObject({ title: 'a', done: false });
  });

  it('an update merges the given fields and removes those in unset', () => {
    const desk = new Desk();
    desk.apply(insert({ title: 'a', done: false, note: 'x' }, { timestamp: 10 }));
    const { entry } = desk.apply(update({ done: true, gone: null }, { timestamp: 11, unset: ['note'] }));
    expect(desk.fields).toEqual({ title: 'a', done: true, gone: null });
    expect(entry).toMatchObject({ operation: 'update', data: { done: true, gone: null }, unset: ['note'] });
    expect(entry.before).toMatchObject({ note: 'x', sync_version: 1 });
  });

  it('an update of what never existed creates it, and the entry is an insert', () => {
    const desk = new Desk();
    const { entry } = desk.apply(update({ title: 'a' }, { timestamp: 10, unset: ['note'] }));
    expect(entry).toMatchObject({ operation: 'insert', before: null, after: { _id: 'd1', title: 'a' } });
    expect(entry).not.toHaveProperty('data');
    expect(entry).not.toHaveProperty('unset');
  });

  it('a delete leaves a tombstone', () => {
    const desk = new Desk();
    desk.apply(insert({ title: 'a' }, { timestamp: 10 }));
    const { entry } = desk.apply(remove({ timestamp: 11 }), bob);
    expect(desk.state).toEqual({ kind: 'tombstone', timestamp: 11, author: 'bob', seq: 2, deletedAt: clock });
    expect(entry).toMatchObject({ operation: 'delete', before: { title: 'a' }, after: null, timestamp: 11 });
  });

  it('a delete of what never existed leaves a tombstone too, so that a stale write cannot create it', () => {
    const desk = new Desk();
    const { entry } = desk.apply(remove({ timestamp: 10 }));
    expect(entry).toMatchObject({ before: null, after: null });
    expect(desk.decide(insert({ a: 1 }, { timestamp: 9 })).kind).toBe('superseded');
  });

  it('keeps typed ids and carries origin and emitTo into the entry', () => {
    const typed = insert({ a: 1 }, { documentId: { $oid: '0123456789abcdef01234567' } });
    const decision = decideChange(
      {
        request: request([typed], { origin: 's1' as never, emitTo: [bob.userId] }),
        change: typed,
        lane: 2 as never,
        seq: 7 as never,
        stored: undefined,
      },
      context(),
    );
    expect(decision).toMatchObject({
      kind: 'applied',
      entry: {
        lane: 2,
        seq: 7,
        origin: 's1',
        emitTo: ['bob'],
        after: { _id: { $oid: '0123456789abcdef01234567' }, sync_version: 7 },
      },
    });
  });
});

describe('tombstones', () => {
  const deleted = () => {
    const desk = new Desk();
    desk.apply(insert({ a: 1 }, { timestamp: 10 }));
    desk.apply(remove({ timestamp: 20 }));
    return desk;
  };

  it('an update is superseded however late it is', () => {
    expect(deleted().decide(update({ a: 2 }, { timestamp: 99 }))).toEqual({ kind: 'superseded', current: null });
    expect(deleted().decide(update({ a: 2 })).kind).toBe('superseded');
  });

  it('an insert later than it recreates the document from nothing', () => {
    const desk = deleted();
    const { entry } = desk.apply(insert({ b: 1 }, { timestamp: 21 }));
    expect(entry.before).toBeNull();
    expect(desk.fields).toEqual({ b: 1 });
  });

  it('an insert at or before it is superseded, unless the same author wrote at the same time', () => {
    expect(deleted().decide(insert({ b: 1 }, { timestamp: 19 }))).toEqual({ kind: 'superseded', current: null });
    expect(deleted().decide(insert({ b: 1 }, { timestamp: 20 }), bob).kind).toBe('superseded');
    expect(deleted().decide(insert({ b: 1 }, { timestamp: 20 })).kind).toBe('applied');
  });

  it('a later delete makes the tombstone newer, an older one is superseded', () => {
    const desk = deleted();
    expect(desk.apply(remove({ timestamp: 30 })).entry).toMatchObject({ before: null, after: null, timestamp: 30 });
    expect(desk.state).toMatchObject({ kind: 'tombstone', timestamp: 30, seq: 3 });
    expect(desk.decide(remove({ timestamp: 25 })).kind).toBe('superseded');
  });
});

describe('timestamps', () => {
  it('a missing one is the clock, or later than what is stored', () => {
    const desk = new Desk();
    expect(desk.apply(insert({ a: 1 })).entry.timestamp).toBe(clock);
    expect(desk.apply(update({ a: 2 }), bob).entry.timestamp).toBe(clock + 1);
    expect(desk.apply(update({ a: 3 }), bob).entry.timestamp).toBe(clock + 2);
    expect(desk.apply(remove(), bob).entry.timestamp).toBe(clock + 3);
    expect(desk.apply(insert({ a: 4 }), bob).entry.timestamp).toBe(clock + 4);
  });

  it('one too far ahead is clamped, one within the skew is kept', () => {
    const desk = new Desk();
    expect(desk.apply(insert({ a: 1 }, { timestamp: clock + 60_000 })).entry.timestamp).toBe(clock + 60_000);
    expect(desk.apply(insert({ a: 1 }, { timestamp: clock * 5 })).entry.timestamp).toBe(clock + 60_000);
    expect(desk.document?.sync_updated_at).toBe(clock + 60_000);
  });

  it('the older loses and is shown what stands', () => {
    const desk = new Desk();
    desk.apply(insert({ a: 1 }, { timestamp: 10 }));
    expect(desk.decide(update({ a: 2 }, { timestamp: 9 }), bob)).toEqual({
      kind: 'superseded',
      current: desk.document,
    });
    expect(desk.decide(remove({ timestamp: 9 })).kind).toBe('superseded');
  });

  it('at equal times the stored one stays, unless the author is the same', () => {
    const desk = new Desk();
    desk.apply(insert({ a: 1 }, { timestamp: 10 }));
    expect(desk.decide(update({ a: 2 }, { timestamp: 10 }), bob).kind).toBe('superseded');
    expect(desk.decide(update({ a: 3 }, { timestamp: 10 })).kind).toBe('applied');
  });

  it.each([
    ['no metadata', { _id: 'd1', a: 1 }],
    ['a date where our timestamp goes', { _id: 'd1', a: 1, sync_updated_at: { $date: 5 } }],
  ])("a user's own document counts as oldest: %s", (_name, document) => {
    const desk = new Desk({}, foreign(document));
    const { entry } = desk.apply(update({ b: 2 }, { timestamp: 0 }));
    expect(desk.document).toEqual({ _id: 'd1', a: 1, b: 2, sync_updated_at: 0, _updated_by: 'alice', sync_version: 1 });
    expect(entry.before).toEqual(document);
  });
});

describe('optimistic locking', () => {
  const on = { optimisticLocking: true };

  it('wants the version that the edit was based on', () => {
    const desk = new Desk(on);
    desk.apply(insert({ a: 1 }, { timestamp: 10, version: 0 }));
    expect(desk.decide(update({ a: 2 }, { timestamp: 99, version: 0 }))).toEqual({
      kind: 'superseded',
      current: desk.document,
    });
    expect(desk.decide(update({ a: 2 }, { timestamp: 99, version: 2 })).kind).toBe('superseded');
    expect(desk.decide(update({ a: 2 }, { timestamp: 99, version: 1 })).kind).toBe('applied');
  });

  it('0 means that there is none, also after a delete', () => {
    const desk = new Desk(on);
    expect(desk.decide(insert({ a: 1 }, { version: 3 }))).toEqual({ kind: 'superseded', current: null });
    desk.apply(insert({ a: 1 }));
    desk.apply(remove());
    expect(desk.decide(insert({ a: 1 }, { version: 0 })).kind).toBe('applied');
    expect(new Desk(on, foreign({ _id: 'd1' })).decide(insert({}, { version: 0 })).kind).toBe('superseded');
  });

  it('does not make an older change win, and means nothing when it is off or not given', () => {
    const desk = new Desk(on);
    desk.apply(insert({ a: 1 }, { timestamp: 10 }));
    expect(desk.decide(update({ a: 2 }, { timestamp: 9, version: 1 })).kind).toBe('superseded');
    expect(desk.decide(update({ a: 2 }, { timestamp: 11 })).kind).toBe('applied');
    expect(new Desk().decide(insert({ a: 2 }, { version: 7 })).kind).toBe('applied');
  });
});

describe('rules', () => {
  const owners = rulesOf(`
collections:
  tasks:
    read: owner == $user.sub
    insert: owner == $user.sub
    update: owner == $user.sub
    delete: owner == $user.sub
    schema: { type: object, properties: { title: { type: string } } }
`);
  const alices = () => {
    const desk = new Desk({ rules: owners });
    desk.apply(insert({ owner: 'alice', title: 'a' }, { timestamp: 10 }));
    return desk;
  };

  it.each([
    ['insert over it', insert({ owner: 'bob' }, { timestamp: 99 })],
    ['update', update({ title: 'b' }, { timestamp: 99 })],
    ['take it over', update({ owner: 'bob' }, { timestamp: 99 })],
    ['delete', remove({ timestamp: 99 })],
  ])("of another's document: %s", (_name, forbidden) => {
    expect(alices().decide(forbidden, bob)).toMatchObject({ kind: 'rejected', code: 'forbidden' });
  });

  it.each([
    ['insert', insert({ owner: 'bob' }, { timestamp: 9 })],
    ['update', update({ title: 'b' }, { timestamp: 9 })],
    ['delete', remove({ timestamp: 9 })],
  ])('a change that would have lost anyway is forbidden all the same: %s', (_name, forbidden) => {
    const decision = alices().decide(forbidden, bob);
    expect(decision).toMatchObject({ kind: 'rejected', code: 'forbidden' });
    expect(decision).not.toHaveProperty('current');
  });

  it('giving a document away is forbidden by the after image', () => {
    expect(alices().decide(update({ owner: 'bob' }))).toMatchObject({ kind: 'rejected', code: 'forbidden' });
  });

  it('shows a loser the document only if they may read it', () => {
    const writeOnly = rulesOf(
      'collections: { tasks: { read: owner == $user.sub, insert: true, update: true, delete: true } }',
    );
    const desk = new Desk({ rules: writeOnly });
    desk.apply(insert({ owner: 'alice', secret: 1 }, { timestamp: 10 }));
    expect(desk.decide(update({ a: 1 }, { timestamp: 9 }), bob)).toEqual({ kind: 'superseded', current: undefined });
    expect(desk.decide(update({ a: 1 }, { timestamp: 9 }))).toEqual({ kind: 'superseded', current: desk.document });
  });

  it('a winner that breaks the schema is rejected, a loser that does is superseded', () => {
    const desk = alices();
    expect(desk.decide(update({ title: 5 }, { timestamp: 99 }))).toMatchObject({
      kind: 'rejected',
      code: 'schema_violation',
    });
    expect(desk.decide(update({ title: 5 }, { timestamp: 9 }))).toEqual({ kind: 'superseded', current: desk.document });
  });

  it('nothing that is rejected changes anything', () => {
    const desk = alices();
    const { state } = desk;
    desk.decide(update({ title: 'b' }), bob);
    expect(desk.state).toBe(state);
  });
});

describe('size', () => {
  const mebibyte = 'x'.repeat(1024 * 1024);

  it('a document may grow to the limit and not past it', () => {
    const desk = new Desk();
    desk.apply(insert({}));
    for (let i = 0; i < 14; i++) desk.apply(update({ [`f${i}`]: mebibyte }));
    expect(desk.decide(change({ operation: 'update', data: { last: mebibyte } }))).toMatchObject({
      kind: 'rejected',
      code: 'too_large',
    });
    expect(desk.decide(update({ small: 1 })).kind).toBe('applied');
    expect(desk.decide(remove()).kind).toBe('applied');
  });
});
