import { describe, expect, it, jest } from '@jest/globals';
import { WritingStage } from '../rig/stage.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

const stage = new WritingStage();
const { newId, stored } = stage;

describe('the oldest dialect', () => {
  it('mongoUpsert updates the document of query._id and answers "ok"', async () => {
    const id = newId();
    const message = {
      collection: 'tasks',
      query: { _id: id },
      update: { title: 'a', id: 'no-field', patchId: 'no-field', userId: 'no-field', sync_updated_at: 7_000 },
    };
    expect(await stage.alice.ask('mongoUpsert', message)).toBe('ok');
    expect(await stored(id)).toEqual({
      _id: id,
      title: 'a',
      sync_updated_at: 7_000,
      _updated_by: 'alice',
      sync_version: expect.any(Number),
    });
  });

  it('takes update.id where there is no query', async () => {
    const id = newId();
    expect(await stage.alice.ask('mongoUpsert', { collection: 'tasks', update: { id, title: 'b' } })).toBe('ok');
    expect(await stored(id)).toMatchObject({ _id: id, title: 'b' });
  });

  it('merges into what is there', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    await stage.alice.ask('mongoUpsert', { collection: 'tasks', update: { b: 2 }, query: { _id: id } });
    expect(await stored(id)).toMatchObject({ a: 1, b: 2 });
  });

  it('answers "ok" also when it lost to a newer version', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { n: 1 }, timestamp: 9_000 });
    const lost = { collection: 'tasks', query: { _id: id }, update: { n: 2, sync_updated_at: 1_000 } };
    expect(await stage.bob.ask('mongoUpsert', lost)).toBe('ok');
    expect(await stored(id)).toMatchObject({ n: 1 });
  });

  it('a patchId makes a resend harmless', async () => {
    const id = newId();
    const message = { collection: 'tasks', query: { _id: id }, update: { n: 1 }, patchId: `p-${id}` };
    expect(await stage.alice.ask('mongoUpsert', message)).toBe('ok');
    await stage.alice.write({ operation: 'update', collection: 'tasks', documentId: id, data: { n: 2 } });
    expect(await stage.alice.ask('mongoUpsert', message)).toBe('ok');
    expect(await stored(id)).toMatchObject({ n: 2 });
  });

  it.each([
    ['no collection', { update: { a: 1 }, query: { _id: 'x' } }],
    ['no id', { collection: 'tasks', update: { a: 1 }, query: {} }],
    ['an operator', { collection: 'tasks', update: { $set: { a: 1 } }, query: { _id: 'x' } }],
    ['an operator as id', { collection: 'tasks', update: { a: 1 }, query: { _id: { $ne: null } } }],
    ['a closed collection', { collection: 'system.users', update: { a: 1 }, query: { _id: 'x' } }],
    ['nothing', undefined],
  ])('mongoUpsert with %s is answered "error"', async (_what, message) => {
    expect(await stage.alice.ask('mongoUpsert', message)).toBe('error');
  });

  it('mongoDelete deletes and answers success', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    expect(await stage.alice.ask('mongoDelete', { collection: 'tasks', query: { _id: id } })).toEqual({
      success: true,
    });
    expect(await stored(id)).toBeUndefined();
  });

  it.each([{}, { collection: 'tasks' }, { collection: 'tasks', query: {} }, { query: { _id: 'x' } }, null])(
    'mongoDelete of %j is answered "error"',
    async (message) => {
      expect(await stage.alice.ask('mongoDelete', message)).toBe('error');
    },
  );

  it('mongoDelete that may not be is answered with the reason', async () => {
    expect(await stage.alice.ask('mongoDelete', { collection: 'system.users', query: { _id: 'x' } })).toEqual({
      success: false,
      error: expect.any(String),
    });
  });
});
