import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { DeliveredMessage } from '@tidemark/protocol';
import type { TestClient } from '../rig/client.ts';
import { startServer, type TestServer } from '../rig/server.ts';
import { View } from '../rig/view.ts';

// Generous, for machines that are busy.
jest.setTimeout(60_000);

let server: TestServer;
let writer: TestClient;
let reader: TestClient;
let made = 0;

beforeAll(async () => {
  server = await startServer();
  writer = await server.user('writer');
  reader = await server.user('reader');
});
afterAll(() => server[Symbol.asyncDispose]());

const newCollection = () => `pages${++made}`;
const update = (collection: string, documentId: string, data: object, more: object = {}) =>
  writer.write({ operation: 'update', collection, documentId, data, ...more });
const remove = (collection: string, documentId: string) =>
  writer.write({ operation: 'delete', collection, documentId });

async function fill(collection: string, count: number, timestamp?: number): Promise<void> {
  for (let from = 0; from < count; from += 100) {
    const changes = Array.from({ length: Math.min(100, count - from) }, (_, index) => ({
      operation: 'insert',
      collection,
      documentId: `d${String(from + index).padStart(4, '0')}`,
      data: { n: from + index },
      ...(timestamp !== undefined && { timestamp }),
    }));
    await writer.call('sync:changeBatch', { changes });
  }
}

type Request = Readonly<Record<string, unknown>>;
type Cursor = 'checkpoint' | 'latestTimestamp';

/** All pages; goes on by the field that clients of that age keep. */
async function readAll(request: Request, by: Cursor, betweenPages: () => Promise<void> = async () => undefined) {
  const changes: DeliveredMessage[] = [];
  let cursor: Request = {};
  for (let pages = 1; ; pages++) {
    const page = await reader.call('sync:get_changes', { ...request, ...cursor });
    expect(page).toMatchObject({ success: true, count: page.changes.length });
    changes.push(...page.changes);
    cursor = by === 'checkpoint' ? { checkpoint: page.checkpoint } : { since: page.latestTimestamp };
    if (!page.hasMore) return { changes, pages, cursor };
    if (pages > 500) throw new Error('the pages do not end');
    await betweenPages();
  }
}

function viewOf(changes: readonly DeliveredMessage[]): View {
  const view = new View();
  for (const change of changes) view.change(change);
  expect(view.faults).toEqual([]);
  return view;
}

async function truth(collection: string, filter = ''): Promise<unknown[]> {
  const witness = await server.user('witness');
  await witness.subscribe(collection, { filter });
  const documents = witness.view.documents(collection);
  witness.close();
  return documents;
}

describe('the beginning', () => {
  it.each([{}, { since: 0 }, { since: null }])(
    '%j starts with the documents as they stand, as inserts',
    async (start) => {
      const collection = newCollection();
      await fill(collection, 5);
      await update(collection, 'd0001', { n: 100 });
      await remove(collection, 'd0002');
      const page = await reader.call('sync:get_changes', { collection, ...start });
      expect(page).toMatchObject({
        success: true,
        hasMore: false,
        count: 4,
        checkpoint: expect.any(String),
        latestTimestamp: expect.any(Number),
      });
      expect(page.changes.map((change) => [change.operation, change.documentId])).toEqual(
        ['d0000', 'd0001', 'd0003', 'd0004'].map((id) => ['insert', id]),
      );
      expect(page.changes[1]).toMatchObject({ userId: 'writer', data: { _id: 'd0001', n: 100 }, collection });
      expect(page.changes[1]?.version).toBe(page.changes[1]?.data?.sync_version);
      expect(viewOf(page.changes).documents(collection)).toEqual(await truth(collection));
    },
  );

  it('without a collection takes all that the user may read', async () => {
    const [one, other] = [newCollection(), newCollection()];
    await fill(one, 3);
    await fill(other, 3);
    const { changes } = await readAll({ limit: 50 }, 'checkpoint');
    expect(changes.filter((change) => change.collection === one)).toHaveLength(3);
    expect(changes.filter((change) => change.collection === other)).toHaveLength(3);
  });

  it('of what is empty is an empty page that can be continued', async () => {
    const collection = newCollection();
    const page = await reader.call('sync:get_changes', { collection });
    expect(page).toMatchObject({ success: true, changes: [], count: 0, hasMore: false });
    await fill(collection, 1);
    const next = await reader.call('sync:get_changes', { collection, checkpoint: page.checkpoint });
    expect(next.changes).toMatchObject([{ operation: 'insert', documentId: 'd0000' }]);
  });
});

describe.each<Cursor>(['checkpoint', 'latestTimestamp'])('going on by %s', (by) => {
  it('gets what happened since: inserts, updates, deletes and leaves', async () => {
    const collection = newCollection();
    await fill(collection, 4);
    const filter = 'n < 100';
    const before = await readAll({ collection, filter }, by);
    await update(collection, 'd0000', { x: 1 }, { unset: ['n'] });
    await update(collection, 'd0001', { x: 1 });
    await remove(collection, 'd0002');
    await update(collection, 'd0003', { n: 200 });
    await update(collection, 'new', { n: 1 });
    const { changes } = await readAll({ collection, filter, ...before.cursor }, by);
    expect(changes).toMatchObject([
      { operation: 'delete', reason: 'left', documentId: 'd0000' },
      { operation: 'update', documentId: 'd0001', data: { x: 1 } },
      { operation: 'delete', reason: 'deleted', documentId: 'd0002' },
      { operation: 'delete', reason: 'left', documentId: 'd0003' },
      { operation: 'insert', documentId: 'new', data: { _id: 'new', n: 1 } },
    ]);
    expect(viewOf([...before.changes, ...changes]).documents(collection)).toEqual(await truth(collection, filter));
  });

  it('page by page misses nothing, whatever is written meanwhile', async () => {
    const collection = newCollection();
    await fill(collection, 60);
    let turn = 0;
    const meddle = async () => {
      turn++;
      const pick = (factor: number) => `d${String((turn * factor) % 60).padStart(4, '0')}`;
      await update(collection, `new${turn}`, { n: turn });
      if (turn % 2 === 0) await update(collection, `new${turn - 1}`, { n: -turn });
      await remove(collection, pick(7));
    };
    const { changes, pages, cursor } = await readAll({ collection, limit: 7 }, by, async () => {
      if (turn < 30) await meddle();
    });
    expect(pages).toBeGreaterThan(8);
    const rest = await readAll({ collection, limit: 7, ...cursor }, by);
    expect(viewOf([...changes, ...rest.changes]).documents(collection)).toEqual(await truth(collection));
  });

  it('many documents with one timestamp are no trouble', async () => {
    const collection = newCollection();
    await fill(collection, 250, 1_000);
    const { changes, pages } = await readAll({ collection, limit: 20 }, by);
    expect(pages).toBeGreaterThanOrEqual(12);
    expect(viewOf(changes).ids(collection)).toHaveLength(250);
  });

  it('at the end gives nothing new, and stays there', async () => {
    const collection = newCollection();
    await fill(collection, 3);
    const { cursor } = await readAll({ collection }, by);
    const again = await readAll({ collection, ...cursor }, by);
    expect(viewOf(again.changes).documents(collection)).toEqual([]);
  });
});

describe('since', () => {
  it('of the client\u2019s own clock never skips what was committed after it, though its own time is older', async () => {
    const collection = newCollection();
    const since = Date.now();
    await update(collection, 'late', { n: 1 }, { timestamp: since - 86_400_000 });
    const { changes } = await readAll({ collection, since }, 'latestTimestamp');
    expect(viewOf(changes).ids(collection)).toEqual(['late']);
  });

  it('in the far past gets everything, in the future no error', async () => {
    const collection = newCollection();
    await fill(collection, 3);
    const { changes } = await readAll({ collection, since: 1 }, 'latestTimestamp');
    expect(viewOf(changes).ids(collection)).toHaveLength(3);
    const future = await reader.call('sync:get_changes', { collection, since: Date.now() + 1e9 });
    expect(future).toMatchObject({ success: true, hasMore: false });
  });

  it('a checkpoint wins over it', async () => {
    const collection = newCollection();
    await fill(collection, 3);
    const { checkpoint } = await reader.call('sync:get_changes', { collection });
    const page = await reader.call('sync:get_changes', { collection, checkpoint, since: 1 });
    expect(page.changes).toEqual([]);
  });

  it('latestTimestamp never goes back', async () => {
    let last = 0;
    for (let n = 0; n < 10; n++) {
      await update('clock', `d${n}`, { n });
      const { latestTimestamp } = await reader.call('sync:get_changes', { collection: 'clock' });
      expect(latestTimestamp).toBeGreaterThanOrEqual(last);
      last = latestTimestamp;
    }
  });
});

describe('limit', () => {
  it('is 100 when left out, and at most 1000', async () => {
    const collection = newCollection();
    await fill(collection, 1_100);
    expect(await reader.call('sync:get_changes', { collection })).toMatchObject({ count: 100, hasMore: true });
    expect(await reader.call('sync:get_changes', { collection, limit: 7 })).toMatchObject({ count: 7, hasMore: true });
    const most = await reader.call('sync:get_changes', { collection, limit: 5_000 });
    expect(most).toMatchObject({ count: 1_000, hasMore: true });
    const { changes } = await readAll({ collection }, 'checkpoint');
    expect(viewOf(changes).ids(collection)).toHaveLength(1_100);
  });

  it.each([0, -1, 1.5, 'x', {}])('%j is invalid_message', async (limit) => {
    expect(await reader.call('sync:get_changes', { limit })).toMatchObject({ success: false, code: 'invalid_message' });
  });
});

describe('filters', () => {
  it.each([{ filter: 'n > 7' }, { query: 'n > 7' }, { filter: 'n > $0', args: [7] }])('%j selects', async (filter) => {
    const collection = newCollection();
    await fill(collection, 10);
    const { changes } = await reader.call('sync:get_changes', { collection, ...filter });
    expect(changes.map((change) => change.data?.n)).toEqual([8, 9]);
  });

  it('one that does not parse is invalid_query', async () => {
    const answer = await reader.call('sync:get_changes', { collection: 'x', filter: 'n ==' });
    expect(answer).toMatchObject({ success: false, code: 'invalid_query' });
  });

  it('few matches among many are found, page by page', async () => {
    const collection = newCollection();
    await fill(collection, 500);
    const { cursor } = await readAll({ collection, filter: 'n == 499' }, 'checkpoint');
    for (let n = 0; n < 100; n++) await update(collection, `d${String(n).padStart(4, '0')}`, { x: n });
    await update(collection, 'd0499', { x: 1 });
    const { changes } = await readAll({ collection, filter: 'n == 499', limit: 2, ...cursor }, 'checkpoint');
    expect(changes).toMatchObject([{ operation: 'update', documentId: 'd0499' }]);
  });

  it('a closed collection is forbidden', async () => {
    const answer = await reader.call('sync:get_changes', { collection: 'tidemark_log' });
    expect(answer).toMatchObject({ success: false, code: 'forbidden' });
  });
});

describe('a token of pages', () => {
  it('at their end is one to subscribe with', async () => {
    const collection = newCollection();
    await fill(collection, 3);
    const { checkpoint } = await reader.call('sync:get_changes', { collection });
    await update(collection, 'd0001', { x: 1 });
    const client = await server.user('reader');
    client.view.isPartial = true;
    const answer = await client.call('sync:subscribe', { collection, checkpoint });
    expect(answer).toMatchObject({ success: true, resumed: true });
    await client.mark();
    expect(client.deliveries()).toMatchObject([{ documentId: 'd0001' }]);
  });

  it('of a stream is one to read pages from', async () => {
    const collection = newCollection();
    const client = await server.user('reader');
    await client.subscribe(collection);
    const checkpoint = await client.mark();
    await fill(collection, 2);
    const page = await client.call('sync:get_changes', { collection, checkpoint });
    // Of one batch, whose documents may lie in different lanes.
    expect(page.changes.map((change) => change.documentId).sort()).toEqual(['d0000', 'd0001']);
  });

  it('in the middle of the documents leads a subscription to a reset, never to a hole', async () => {
    const collection = newCollection();
    await fill(collection, 10);
    const { checkpoint, hasMore } = await reader.call('sync:get_changes', { collection, limit: 3 });
    expect(hasMore).toBe(true);
    const client = await server.user('reader');
    const answer = await client.call('sync:subscribe', { collection, checkpoint, id: 's' });
    expect(answer.success).toBe(true);
    await client.mark();
    expect(client.view.ids(collection)).toHaveLength(10);
  });
});
