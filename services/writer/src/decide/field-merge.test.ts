import { describe, expect, it } from '@jest/globals';
import type { Document } from '@tidemark/protocol';
import { insert, remove, update, user } from '../testing/changes.ts';
import { Desk, fieldRules } from '../testing/decisions.ts';

const bob = user('bob');
const desk = (state?: Desk['state']) => new Desk({ rules: fieldRules }, state);

describe('merge by field', () => {
  it('two edits of different fields both survive, whatever their order', () => {
    const it_ = desk();
    it_.apply(insert({ a: 0, b: 0 }, { timestamp: 10 }));
    it_.apply(update({ a: 1 }, { timestamp: 30 }));
    const { entry } = it_.apply(update({ b: 2 }, { timestamp: 20 }), bob);
    expect(it_.fields).toEqual({ a: 1, b: 2 });
    expect(entry).toMatchObject({ operation: 'update', data: { b: 2 }, timestamp: 30, author: 'bob' });
    expect(it_.document).toMatchObject({ sync_updated_at: 30, _updated_by: 'bob', sync_version: 3 });
  });

  it('the entry holds only the fields that won', () => {
    const it_ = desk();
    it_.apply(insert({ a: 0, b: 0, c: 0 }, { timestamp: 10 }));
    it_.apply(update({ a: 1, c: 1 }, { timestamp: 30 }));
    const { entry } = it_.apply(update({ a: 2, b: 2 }, { timestamp: 20, unset: ['c', 'd'] }));
    expect(entry).toMatchObject({ data: { b: 2 }, unset: ['d'] });
    expect(it_.fields).toEqual({ a: 1, b: 2, c: 1 });
  });

  it('is superseded when no field wins', () => {
    const it_ = desk();
    it_.apply(insert({ a: 1, b: 1 }, { timestamp: 10 }));
    expect(it_.decide(update({ a: 2 }, { timestamp: 9, unset: ['b'] }))).toEqual({
      kind: 'superseded',
      current: it_.document,
    });
  });

  it('an insert over a document writes every given field and keeps the others, as an update', () => {
    const it_ = desk();
    it_.apply(insert({ a: 1, b: 1 }, { timestamp: 10 }));
    const { entry } = it_.apply(insert({ b: 2, c: 2 }, { timestamp: 11 }));
    expect(entry).toMatchObject({ operation: 'update', data: { b: 2, c: 2 } });
    expect(entry).not.toHaveProperty('unset');
    expect(it_.fields).toEqual({ a: 1, b: 2, c: 2 });
  });

  it('a field that was removed later stays removed, also in a document that the removal created', () => {
    const it_ = desk();
    it_.apply(update({ a: 1 }, { timestamp: 20, unset: ['b'] }));
    expect(it_.decide(update({ b: 1 }, { timestamp: 10 })).kind).toBe('superseded');
    expect(it_.decide(update({ b: 1 }, { timestamp: 21 })).kind).toBe('applied');
  });

  it('a delete competes with the latest field', () => {
    const it_ = desk();
    it_.apply(insert({ a: 1 }, { timestamp: 10 }));
    it_.apply(update({ b: 1 }, { timestamp: 30 }));
    expect(it_.decide(remove({ timestamp: 20 })).kind).toBe('superseded');
    expect(it_.decide(remove({ timestamp: 31 })).kind).toBe('applied');
  });

  it('what was written before a delete does not come back into the document that follows it', () => {
    const it_ = desk();
    it_.apply(remove({ timestamp: 20 }));
    expect(it_.decide(insert({ a: 1 }, { timestamp: 19 })).kind).toBe('superseded');
    it_.apply(insert({ a: 1 }, { timestamp: 30 }));
    expect(it_.decide(update({ b: 1 }, { timestamp: 15 })).kind).toBe('superseded');
    expect(it_.decide(update({ b: 1 }, { timestamp: 25 })).kind).toBe('applied');
    expect(it_.fields).toEqual({ a: 1, b: 1 });
  });

  it('a document from before it was merged by field: its version is that of all its fields, for good', () => {
    const document = { _id: 'd1', a: 1, b: 1, sync_updated_at: 20, _updated_by: 'bob', sync_version: 1 } as never;
    const it_ = desk({ kind: 'document', document });
    expect(it_.decide(update({ a: 2 }, { timestamp: 19 })).kind).toBe('superseded');
    it_.apply(update({ a: 2 }, { timestamp: 30 }));
    expect(it_.decide(update({ b: 2 }, { timestamp: 19 })).kind).toBe('superseded');
    expect(it_.decide(update({ c: 2 }, { timestamp: 19 })).kind).toBe('superseded');
    expect(it_.decide(update({ b: 2 }, { timestamp: 25 })).kind).toBe('applied');
  });

  it("a user's own document counts as oldest in every field", () => {
    const it_ = desk({ kind: 'document', document: { _id: 'd1', a: 1 } as Document });
    const { entry } = it_.apply(update({ b: 2 }, { timestamp: 5 }));
    expect(entry).toMatchObject({ operation: 'update', data: { b: 2 }, timestamp: 5 });
    expect(it_.decide(update({ a: 2 }, { timestamp: 1 })).kind).toBe('applied');
  });

  it('fields named like members of every object are fields like any other', () => {
    const it_ = desk();
    it_.apply(insert({ constructor: 1 }, { timestamp: 10 }));
    expect(it_.decide(update({ constructor: 2 }, { timestamp: 9 })).kind).toBe('superseded');
    expect(it_.decide(update({ toString: 2, hasOwnProperty: 1 }, { timestamp: 9 })).kind).toBe('applied');
    expect(it_.fields).toEqual({ constructor: 1, toString: 2, hasOwnProperty: 1 });
  });

  it('keeps no field versions where documents are merged whole', () => {
    const whole = new Desk();
    whole.apply(insert({ a: 1 }));
    expect(whole.state).not.toHaveProperty('fieldVersions');
  });
});
