import { describe, expect, it, jest } from '@jest/globals';
import { WritingStage } from '../rig/stage.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

const stage = new WritingStage();
const { newId, stored } = stage;

describe('the shape of a change', () => {
  it('an insert creates the document with the metadata, and the ack says which change and when', async () => {
    const id = newId();
    const sent = Date.now();
    const ack = await stage.alice.call('sync:change', {
      id: `c-${id}`,
      operation: 'insert',
      collection: 'tasks',
      documentId: id,
      data: { title: 'a', nested: { list: [1, null, 'x'] }, nothing: null },
    });
    expect(ack).toMatchObject({ changeId: `c-${id}`, success: true, outcome: 'applied' });
    expect(Math.abs(ack.timestamp - sent)).toBeLessThan(60_000);
    expect(typeof ack.lane).toBe('number');
    expect(ack.seq).toBeGreaterThan(0);
    expect(await stored(id)).toEqual({
      _id: id,
      title: 'a',
      nested: { list: [1, null, 'x'] },
      nothing: null,
      sync_updated_at: expect.any(Number),
      _updated_by: 'alice',
      sync_version: ack.seq,
    });
  });

  it('accepts collectionName and patchId of older clients', async () => {
    const id = newId();
    const change = { patchId: `p-${id}`, operation: 'insert', collectionName: 'tasks', documentId: id, data: { a: 1 } };
    expect(await stage.alice.call('sync:change', change)).toMatchObject({ changeId: `p-${id}`, outcome: 'applied' });
    expect(await stage.alice.call('sync:change', change)).toMatchObject({ changeId: `p-${id}`, outcome: 'duplicate' });
  });

  it('makes an id when there is none, and then a resend is a new change', async () => {
    const id = newId();
    const change = { operation: 'update', collection: 'tasks', documentId: id, data: { a: 1 } };
    const first = await stage.alice.call('sync:change', change);
    const second = await stage.alice.call('sync:change', change);
    expect(first.changeId).not.toBe('');
    expect(second.changeId).not.toBe(first.changeId);
    expect([first.outcome, second.outcome]).toEqual(['applied', 'applied']);
  });

  it('an insert replaces the whole document', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { a: 1, b: 2 } });
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { b: 3 } });
    const document = await stored(id);
    expect(document).toMatchObject({ b: 3 });
    expect(document).not.toHaveProperty('a');
  });

  it('an update merges top-level fields, keeps null as a value, and removes only through unset', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { a: { x: 1, y: 2 }, b: 2, c: 3, d: 4 } });
    await stage.alice.write({
      operation: 'update',
      collection: 'tasks',
      documentId: id,
      data: { a: { x: 9 }, c: null },
      unset: ['d', 'never-there'],
    });
    const document = await stored(id);
    expect(document).toMatchObject({ a: { x: 9 }, b: 2, c: null });
    expect(document?.a).toEqual({ x: 9 });
    expect(document).not.toHaveProperty('d');
  });

  it('an update of what never existed creates it', async () => {
    const id = newId();
    await stage.alice.write({ operation: 'update', collection: 'tasks', documentId: id, data: { a: 1 } });
    expect(await stored(id)).toMatchObject({ _id: id, a: 1 });
  });

  it('"upsert" means update', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { a: 1, b: 2 } });
    await stage.alice.write({ operation: 'upsert', collection: 'tasks', documentId: id, data: { b: 3 } });
    expect(await stored(id)).toMatchObject({ a: 1, b: 3 });
  });

  it('another word is refused by sync:change', async () => {
    const ack = await stage.alice.call('sync:change', {
      operation: 'replace',
      collection: 'tasks',
      documentId: newId(),
    });
    expect(ack).toMatchObject({ success: false, outcome: 'rejected', code: 'invalid_message' });
  });

  it('a delete removes it, and deleting what is not there is no error', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    await stage.alice.write({ operation: 'delete', collection: 'tasks', documentId: id });
    expect(await stored(id)).toBeUndefined();
    expect(await stage.alice.write({ operation: 'delete', collection: 'tasks', documentId: newId() })).toMatchObject({
      outcome: 'applied',
    });
  });

  it.each([
    ['$ at the top', { $set: { a: 1 } }],
    ['$ deeper', { a: { b: [{ $gt: 1 }] } }],
    ['a dot at the top', { 'a.b': 1 }],
  ])('%s is invalid_document', async (_what, data) => {
    const id = newId();
    for (const operation of ['insert', 'update']) {
      const ack = await stage.alice.call('sync:change', { operation, collection: 'tasks', documentId: id, data });
      expect(ack).toMatchObject({ success: false, outcome: 'rejected', code: 'invalid_document' });
    }
    expect(await stored(id)).toBeUndefined();
  });

  it.each(['$a', 'a.b'])('unset of %s is invalid_document', async (name) => {
    const change = { operation: 'update', collection: 'tasks', documentId: newId(), data: {}, unset: [name] };
    expect(await stage.alice.call('sync:change', change)).toMatchObject({ success: false, code: 'invalid_document' });
  });

  it('a dot deeper down is a name like any other', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { map: { 'a.b': 1 } } });
    expect(await stored(id)).toMatchObject({ map: { 'a.b': 1 } });
  });

  it('the author is the user of the session, whatever the payload says, and metadata cannot be written', async () => {
    const id = newId();
    await stage.alice.write({
      collection: 'tasks',
      documentId: id,
      userId: 'mallory',
      data: { a: 1, _updated_by: 'mallory', sync_version: 99 },
    });
    const document = await stored(id);
    expect(document).toMatchObject({ _updated_by: 'alice' });
    expect(document?.sync_version).not.toBe(99);
  });

  it('typed values and typed ids travel as Extended JSON, and strings stay strings', async () => {
    const data = {
      oid: { $oid: '0123456789abcdef01234567' },
      // As every store gives it back.
      date: { $date: '2026-11-24T10:00:00.000Z' },
      decimal: { $numberDecimal: '1.10' },
      uuid: { $uuid: '01234567-89ab-cdef-0123-456789abcdef' },
      text: '0123456789abcdef01234567',
      day: '2026-11-24T10:00:00Z',
    };
    const typed = { $oid: 'aaaaaaaaaaaaaaaaaaaaaaaa' };
    await stage.alice.write({ collection: 'typed', documentId: typed, data });
    await stage.alice.write({ collection: 'typed', documentId: typed.$oid, data: { other: true } });
    const document = await stored(typed, 'typed');
    expect(document).toMatchObject({ _id: typed, ...data });
    expect(await stored(typed.$oid, 'typed')).toMatchObject({ _id: typed.$oid, other: true });
  });

  it('data may hold the id again, but not another one', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { _id: id, a: 1 } });
    const ack = await stage.alice.call('sync:change', {
      operation: 'update',
      collection: 'tasks',
      documentId: id,
      data: { _id: 'other', a: 2 },
    });
    expect(ack).toMatchObject({ success: false, code: 'invalid_document' });
    expect(await stored(id)).toMatchObject({ a: 1 });
  });

  it.each([
    { collection: 'tasks' },
    { documentId: 'x' },
    {},
    { collection: '', documentId: 'x' },
    { collection: null, documentId: 'x' },
    { collection: 'tasks', documentId: null },
    { operation: undefined },
  ])('%j is refused with the words that old clients know', async (place) => {
    const ack = await stage.alice.call('sync:change', { operation: 'insert', data: { a: 1 }, ...place });
    expect(ack).toMatchObject({ success: false, outcome: 'rejected', code: 'invalid_message' });
    expect(ack.error).toMatch(/^Missing collection or documentId/);
  });

  it.each(['tidemark_log', '_sync_state', 'system.users'])('the collection %s is closed', async (collection) => {
    const ack = await stage.alice.call('sync:change', {
      operation: 'insert',
      collection,
      documentId: 'a',
      data: { a: 1 },
    });
    expect(ack).toMatchObject({ success: false, outcome: 'rejected', code: 'forbidden' });
  });
});
