import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { TestClient } from '../rig/client.ts';
import { startServer, type TestServer } from '../rig/server.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

let server: TestServer;
let alice: TestClient;
let bob: TestClient;
let made = 0;

beforeAll(async () => {
  server = await startServer({ file: { sync: { enableOptimisticLocking: true } } });
  alice = await server.user('alice');
  bob = await server.user('bob');
});
afterAll(() => server[Symbol.asyncDispose]());

/** An id of its own for each test. */
const newId = () => `d${++made}`;

/** The document as anyone may read it; undefined when it does not exist. */
async function stored(documentId: unknown, collection = 'tasks'): Promise<Record<string, unknown> | undefined> {
  const { changes } = await bob.call('sync:get_changes', { collection, limit: 1_000 });
  const found = changes.filter((change) => JSON.stringify(change.documentId) === JSON.stringify(documentId));
  return found.at(-1)?.data;
}

describe('the oldest dialect', () => {
  it('mongoUpsert updates the document of query._id and answers "ok"', async () => {
    const id = newId();
    const message = {
      collection: 'tasks',
      query: { _id: id },
      update: { title: 'a', id: 'no-field', patchId: 'no-field', userId: 'no-field', sync_updated_at: 7_000 },
    };
    expect(await alice.ask('mongoUpsert', message)).toBe('ok');
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
    expect(await alice.ask('mongoUpsert', { collection: 'tasks', update: { id, title: 'b' } })).toBe('ok');
    expect(await stored(id)).toMatchObject({ _id: id, title: 'b' });
  });

  it('merges into what is there', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    await alice.ask('mongoUpsert', { collection: 'tasks', update: { b: 2 }, query: { _id: id } });
    expect(await stored(id)).toMatchObject({ a: 1, b: 2 });
  });

  it('answers "ok" also when it lost to a newer version', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { n: 1 }, timestamp: 9_000 });
    const lost = { collection: 'tasks', query: { _id: id }, update: { n: 2, sync_updated_at: 1_000 } };
    expect(await bob.ask('mongoUpsert', lost)).toBe('ok');
    expect(await stored(id)).toMatchObject({ n: 1 });
  });

  it('a patchId makes a resend harmless', async () => {
    const id = newId();
    const message = { collection: 'tasks', query: { _id: id }, update: { n: 1 }, patchId: `p-${id}` };
    expect(await alice.ask('mongoUpsert', message)).toBe('ok');
    await alice.write({ operation: 'update', collection: 'tasks', documentId: id, data: { n: 2 } });
    expect(await alice.ask('mongoUpsert', message)).toBe('ok');
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
    expect(await alice.ask('mongoUpsert', message)).toBe('error');
  });

  it('mongoDelete deletes and answers success', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    expect(await alice.ask('mongoDelete', { collection: 'tasks', query: { _id: id } })).toEqual({ success: true });
    expect(await stored(id)).toBeUndefined();
  });

  it.each([{}, { collection: 'tasks' }, { collection: 'tasks', query: {} }, { query: { _id: 'x' } }, null])(
    'mongoDelete of %j is answered "error"',
    async (message) => {
      expect(await alice.ask('mongoDelete', message)).toBe('error');
    },
  );

  it('mongoDelete that may not be is answered with the reason', async () => {
    expect(await alice.ask('mongoDelete', { collection: 'system.users', query: { _id: 'x' } })).toEqual({
      success: false,
      error: expect.any(String),
    });
  });
});
