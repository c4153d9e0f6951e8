import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { TestClient } from '../rig/client.ts';
import { startServer, type TestServer } from '../rig/server.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

let server: TestServer;
let alice: TestClient;
let made = 0;

beforeAll(async () => {
  server = await startServer({ file: { sync: { maxBatchSize: 20 } } });
  alice = await server.user('alice');
});
afterAll(() => server[Symbol.asyncDispose]());

const newCollection = () => `batch${++made}`;
const insert = (collection: string, documentId: string, more: Record<string, unknown> = {}) => ({
  id: `${collection}-${documentId}`,
  operation: 'insert',
  collection,
  documentId,
  data: { n: 1 },
  ...more,
});

async function documents(collection: string): Promise<Record<string, unknown>[]> {
  const { changes } = await alice.call('sync:get_changes', { collection, limit: 1_000 });
  return changes.map((change) => change.data ?? {});
}

describe('sync:changeBatch', () => {
  it('answers every member in the order of the request, with the totals', async () => {
    const collection = newCollection();
    const changes = Array.from({ length: 20 }, (_, n) => insert(collection, `d${n}`));
    const answer = await alice.call('sync:changeBatch', { changes });
    expect(answer).toMatchObject({ success: true, totalProcessed: 20, successCount: 20 });
    expect(answer.latency).toBeGreaterThanOrEqual(0);
    expect(answer.results.map((ack) => ack.changeId)).toEqual(changes.map((change) => change.id));
    expect(answer.results.every((ack) => ack.success && ack.outcome === 'applied')).toBe(true);
    expect(await documents(collection)).toHaveLength(20);
  });

  it('keeps the order of changes of one document', async () => {
    const collection = newCollection();
    const changes = Array.from({ length: 10 }, (_, n) =>
      insert(collection, 'one', { id: `${collection}-${n}`, operation: 'update', data: { n } }),
    );
    const { results } = await alice.call('sync:changeBatch', { changes });
    const seqs = results.map((ack) => ack.seq ?? 0);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(await documents(collection)).toMatchObject([{ n: 9 }]);
  });

  it('a bad member is rejected alone, and the batch counts as processed', async () => {
    const collection = newCollection();
    const answer = await alice.call('sync:changeBatch', {
      changes: [insert(collection, 'a'), insert(collection, 'b', { data: { $bad: 1 } }), null, insert(collection, 'c')],
    });
    expect(answer).toMatchObject({ success: true, totalProcessed: 4, successCount: 2 });
    expect(answer.results.map((ack) => ack.code)).toEqual([
      undefined,
      'invalid_document',
      'invalid_message',
      undefined,
    ]);
    expect(answer.results.map((ack) => ack.outcome)).toEqual(['applied', 'rejected', 'rejected', 'applied']);
    expect(answer.results[1]?.changeId).toBe(`${collection}-b`);
    expect((await documents(collection)).map((document) => document._id)).toEqual(['a', 'c']);
  });

  it('is processed also when every member lost', async () => {
    const collection = newCollection();
    await alice.write(insert(collection, 'a', { timestamp: 5_000 }));
    const late = insert(collection, 'a', { id: 'late', timestamp: 1_000 });
    const answer = await alice.call('sync:changeBatch', { changes: [late] });
    expect(answer).toMatchObject({ success: true, totalProcessed: 1, successCount: 0 });
    expect(answer.results[0]).toMatchObject({ outcome: 'superseded', code: 'conflict', current: { _id: 'a' } });
  });

  it('any other word than insert, update and delete means update', async () => {
    const collection = newCollection();
    const answer = await alice.call('sync:changeBatch', {
      changes: [
        insert(collection, 'a', { data: { a: 1 } }),
        insert(collection, 'a', { id: `${collection}-2`, operation: 'replace', data: { b: 2 } }),
        insert(collection, 'new', { operation: 'anything' }),
      ],
    });
    expect(answer).toMatchObject({ success: true, successCount: 3 });
    expect(await documents(collection)).toMatchObject([{ _id: 'a', a: 1, b: 2 }, { _id: 'new' }]);
  });

  it('more than maxBatchSize is too_large, and nothing is written', async () => {
    const collection = newCollection();
    const changes = Array.from({ length: 21 }, (_, n) => insert(collection, `d${n}`));
    const answer = await alice.call('sync:changeBatch', { changes });
    expect(answer).toMatchObject({ success: false, code: 'too_large' });
    expect(answer.results ?? []).toEqual([]);
    expect(await documents(collection)).toEqual([]);
  });

  it.each([[{}], [{ changes: [] }], [{ changes: 'x' }], [null], [undefined]])(
    '%j is refused with the words that old clients know',
    async (payload) => {
      const answer = await alice.call('sync:changeBatch', payload);
      expect(answer).toMatchObject({ success: false, code: 'invalid_message' });
      expect(answer.error).toMatch(/^No changes provided/);
    },
  );

  it('sent again, every member is a duplicate', async () => {
    const collection = newCollection();
    const changes = Array.from({ length: 5 }, (_, n) => insert(collection, `d${n}`));
    await alice.call('sync:changeBatch', { changes });
    const again = await alice.call('sync:changeBatch', { changes });
    expect(again).toMatchObject({ success: true, successCount: 5 });
    expect(again.results.map((ack) => ack.outcome)).toEqual(Array(5).fill('duplicate'));
  });
});

describe('an atomic batch', () => {
  it('is written whole', async () => {
    const collection = newCollection();
    const changes = Array.from({ length: 10 }, (_, n) => insert(collection, `d${n}`));
    const answer = await alice.call('sync:changeBatch', { changes, atomic: true });
    expect(answer).toMatchObject({ success: true, successCount: 10 });
    expect(await documents(collection)).toHaveLength(10);
  });

  it.each([
    ['superseded', { documentId: 'held', timestamp: 1_000 }, 'conflict'],
    ['malformed', { documentId: 'x', data: { $bad: 1 } }, 'invalid_document'],
    ['in a closed collection', { documentId: 'x', collection: 'system.users' }, 'forbidden'],
  ])('a member that is %s aborts all', async (_what, bad, code) => {
    const collection = newCollection();
    await alice.write(insert(collection, 'held', { timestamp: 5_000 }));
    const changes = [
      ...Array.from({ length: 5 }, (_, n) => insert(collection, `d${n}`)),
      insert(collection, 'bad', bad),
      insert(collection, 'last'),
    ];
    const answer = await alice.call('sync:changeBatch', { changes, atomic: true });
    expect(answer.success).toBe(false);
    expect(answer.successCount).toBe(0);
    expect(answer.results.map((ack) => ack.code)).toEqual([...Array(5).fill('atomic_aborted'), code, 'atomic_aborted']);
    expect((await documents(collection)).map((document) => document._id)).toEqual(['held']);
  });

  it('that was aborted is decided anew when sent again, and is a duplicate once it was applied', async () => {
    const collection = newCollection();
    const good = [insert(collection, 'a'), insert(collection, 'b')];
    const bad = insert(collection, 'c', { data: { $bad: 1 } });
    await alice.call('sync:changeBatch', { changes: [...good, bad], atomic: true });
    const fixed = { changes: [...good, insert(collection, 'c')], atomic: true };
    expect(await alice.call('sync:changeBatch', fixed)).toMatchObject({ success: true, successCount: 3 });
    const again = await alice.call('sync:changeBatch', fixed);
    expect(again).toMatchObject({ success: true, successCount: 3 });
    expect(again.results.map((ack) => ack.outcome)).toEqual(['duplicate', 'duplicate', 'duplicate']);
    expect(await documents(collection)).toHaveLength(3);
  });

  it('a member sees what the ones before it did', async () => {
    const collection = newCollection();
    const changes = [
      insert(collection, 'a', { data: { x: 1 } }),
      insert(collection, 'a', { id: `${collection}-2`, operation: 'update', data: { y: 2 } }),
      insert(collection, 'b'),
      insert(collection, 'b', { id: `${collection}-3`, operation: 'delete' }),
    ];
    expect(await alice.call('sync:changeBatch', { changes, atomic: true })).toMatchObject({ success: true });
    expect(await documents(collection)).toMatchObject([{ _id: 'a', x: 1, y: 2 }]);
  });

  it('reaches a subscriber whole', async () => {
    const collection = newCollection();
    const bob = await server.user('bob');
    await bob.subscribe(collection);
    const changes = Array.from({ length: 10 }, (_, n) => insert(collection, `d${n}`));
    await alice.call('sync:changeBatch', { changes, atomic: true });
    await bob.mark();
    expect(bob.view.documents(collection)).toHaveLength(10);
  });
});

describe('sync:batch_changes, the bare list', () => {
  it('answers a bare list of acks, in order', async () => {
    const collection = newCollection();
    const changes = [insert(collection, 'a'), insert(collection, 'b', { data: { $bad: 1 } }), insert(collection, 'c')];
    const acks = await alice.call('sync:batch_changes', changes);
    expect(acks).toHaveLength(3);
    expect(acks).toMatchObject([
      { changeId: `${collection}-a`, success: true, outcome: 'applied' },
      { changeId: `${collection}-b`, success: false, outcome: 'rejected', code: 'invalid_document' },
      { changeId: `${collection}-c`, success: true, outcome: 'applied' },
    ]);
  });

  it('over the limit is too_large', async () => {
    const collection = newCollection();
    const changes = Array.from({ length: 21 }, (_, n) => insert(collection, `d${n}`));
    expect(await alice.ask('sync:batch_changes', changes)).toMatchObject({ success: false, code: 'too_large' });
    expect(await documents(collection)).toEqual([]);
  });

  it.each([[[]], [{}], ['x'], [null]])('%j is refused', async (payload) => {
    const answer = await alice.ask('sync:batch_changes', payload);
    expect(answer).toMatchObject({ success: false, code: 'invalid_message' });
    expect((answer as { error: string }).error).toMatch(/^No changes provided/);
  });
});
