import { describe, expect, it, jest } from '@jest/globals';
import { startServer } from '../rig/server.ts';
import { ReadingStage } from '../rig/stage.ts';

// Generous, for machines that are busy.
jest.setTimeout(60_000);

const stage = new ReadingStage();
const { fill, newCollection, remove, update } = stage;

describe('what a subscriber is sent', () => {
  it('insert: the whole document; update: the changed fields, removed ones in unset; delete: no data', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection);
    const inserted = await stage.writer.write({
      id: `i-${collection}`,
      collection,
      documentId: 'a',
      data: { x: 1, y: 2 },
    });
    const updated = await update(collection, 'a', { x: 5 }, { unset: ['y'], id: `u-${collection}` });
    const removed = await remove(collection, 'a');
    await reader.mark();
    const [first, second, third] = reader.deliveries();
    expect(first).toEqual({
      id: `i-${collection}`,
      userId: 'writer',
      timestamp: inserted.timestamp,
      operation: 'insert',
      collection,
      documentId: 'a',
      data: {
        _id: 'a',
        x: 1,
        y: 2,
        sync_updated_at: inserted.timestamp,
        _updated_by: 'writer',
        sync_version: inserted.seq,
      },
      version: inserted.seq,
    });
    expect(second).toMatchObject({
      id: `u-${collection}`,
      operation: 'update',
      documentId: 'a',
      data: { x: 5 },
      unset: ['y'],
      version: updated.seq,
    });
    expect(second?.data).not.toHaveProperty('y');
    expect(third).toMatchObject({ operation: 'delete', reason: 'deleted', documentId: 'a', version: removed.seq });
    expect(third).not.toHaveProperty('data');
  });

  it('a document that starts to match comes whole, one that stops leaves, whatever field it was', async () => {
    const collection = newCollection();
    await fill(collection, 1, () => ({ color: 'red', size: 1 }));
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, { filter: "color == 'blue'" });
    await update(collection, 'd0000', { color: 'blue' });
    await update(collection, 'd0000', { size: 2 });
    await update(collection, 'd0000', { color: 'green' });
    await update(collection, 'd0000', { size: 3 });
    await update(collection, 'd0000', {}, { unset: ['color'] });
    await reader.mark();
    expect(reader.deliveries()).toMatchObject([
      { operation: 'insert', data: { _id: 'd0000', color: 'blue', size: 1 } },
      { operation: 'update', data: { size: 2 } },
      { operation: 'delete', reason: 'left' },
    ]);
  });

  it('the delete of a document that is not in the view is not sent', async () => {
    const collection = newCollection();
    await fill(collection, 2);
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, { filter: 'n == 0' });
    await remove(collection, 'd0001');
    await remove(collection, 'd0000');
    await reader.mark();
    expect(reader.deliveries()).toMatchObject([{ operation: 'delete', reason: 'deleted', documentId: 'd0000' }]);
  });

  it('a replaced document comes whole', async () => {
    const collection = newCollection();
    await fill(collection, 1, () => ({ a: 1, b: 2 }));
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection);
    await stage.writer.write({ collection, documentId: 'd0000', data: { b: 3 } });
    await reader.mark();
    expect(reader.deliveries()).toMatchObject([{ operation: 'insert', data: { b: 3 } }]);
    expect(reader.view.get(collection, 'd0000')).not.toHaveProperty('a');
  });

  it('what lost is not sent to anybody', async () => {
    const collection = newCollection();
    await stage.writer.write({ collection, documentId: 'a', data: { n: 1 }, timestamp: 5_000 });
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection);
    const change = { operation: 'update', collection, documentId: 'a', data: { n: 2 }, timestamp: 1_000 };
    expect(await stage.writer.call('sync:change', change)).toMatchObject({ outcome: 'superseded' });
    await reader.mark();
    expect(reader.deliveries()).toEqual([]);
  });

  it('a socket with several subscriptions that match gets a change once, and a leave only when none matches', async () => {
    const collection = newCollection();
    await fill(collection, 1, () => ({ a: 1, b: 1 }));
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, { filter: 'a == 1' });
    await reader.subscribe(collection, { filter: 'b == 1' });
    reader.forget();
    await update(collection, 'd0000', { c: 1 });
    await update(collection, 'd0000', { a: 2 });
    await update(collection, 'd0000', { b: 2 });
    await reader.mark();
    expect(reader.deliveries()).toMatchObject([
      { operation: 'update', data: { c: 1 } },
      { operation: 'update', data: { a: 2 } },
      { operation: 'delete', reason: 'left' },
    ]);
  });

  it('changes of a document come in the order of their versions', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    const others = [await stage.server.user('x'), await stage.server.user('y')];
    await reader.subscribe(collection);
    await Promise.all(
      others.flatMap((client) =>
        Array.from({ length: 40 }, (_, n) =>
          client.write({ operation: 'update', collection, documentId: `d${n % 4}`, data: { n } }),
        ),
      ),
    );
    await reader.mark();
    for (const id of ['d0', 'd1', 'd2', 'd3']) {
      const versions = reader.deliveries().flatMap((change) => (change.documentId === id ? [change.version] : []));
      expect(versions).toHaveLength(20);
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
    }
  });

  it.each(['websocket', 'polling'] as const)('everything works the same over %s', async (transport) => {
    const collection = newCollection();
    await fill(collection, 25);
    const reader = await stage.server.connect({ userId: 'reader', transport });
    await reader.join({ protocol: 1 });
    await reader.subscribe(collection);
    await update(collection, 'd0003', { n: 300 });
    await reader.write({ operation: 'update', collection, documentId: 'd0004', data: { n: 400 } });
    await reader.mark();
    expect(reader.view.documents(collection)).toHaveLength(25);
    expect(reader.view.get(collection, 'd0003')).toMatchObject({ n: 300 });
    expect(reader.view.get(collection, 'd0004')).toMatchObject({ n: 400 });
  });
});

describe('own changes', () => {
  it('a modern client gets its own back in order, with their ids, like the others', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection);
    await reader.write({ id: `a-${collection}`, collection, documentId: 'a', data: { n: 1 } });
    await update(collection, 'a', { n: 2 }, { id: `b-${collection}` });
    await reader.write({ id: `c-${collection}`, operation: 'update', collection, documentId: 'a', data: { m: 3 } });
    await reader.mark();
    expect(reader.deliveries().map((change) => change.id)).toEqual(['a', 'b', 'c'].map((id) => `${id}-${collection}`));
    expect(reader.deliveries()[2]).toMatchObject({ userId: 'reader', operation: 'update', data: { m: 3 } });
  });

  it('what is not in its view does not come back; sync:mark tells that it would have come by now', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, { filter: 'n == 1' });
    await reader.write({ collection, documentId: 'a', data: { n: 2 } });
    await reader.mark();
    expect(reader.deliveries()).toEqual([]);
  });

  it('an old client does not get its own back; its other sockets do', async () => {
    const collection = newCollection();
    const old = await stage.server.user('old', {});
    const twin = await stage.server.user('old', {});
    await old.subscribe(collection);
    await twin.subscribe(collection);
    await old.write({ collection, documentId: 'a', data: { n: 1 } });
    await old.write({ operation: 'update', collection, documentId: 'a', data: { n: 2 } });
    await old.write({ operation: 'delete', collection, documentId: 'a' });
    await Promise.all([old.mark(), twin.mark()]);
    expect(old.deliveries()).toEqual([]);
    expect(twin.deliveries().map((change) => change.operation)).toEqual(['insert', 'update', 'delete']);
  });

  it('an old client gets what its own update brings into its view, and takes out of it', async () => {
    const collection = newCollection();
    await fill(collection, 1, () => ({ color: 'red', size: 1 }));
    const old = await stage.server.user('old', {});
    await old.subscribe(collection, { filter: "color == 'blue'" });
    await old.write({ operation: 'update', collection, documentId: 'd0000', data: { color: 'blue' } });
    await old.write({ operation: 'update', collection, documentId: 'd0000', data: { size: 2 } });
    await old.write({ operation: 'update', collection, documentId: 'd0000', data: { color: 'red' } });
    await old.mark();
    expect(old.deliveries()).toMatchObject([
      { operation: 'insert', data: { color: 'blue', size: 1 } },
      { operation: 'delete', reason: 'left' },
    ]);
  });

  it('BROADCAST_TO_SENDER=true sends old clients their own', async () => {
    await using echoing = await startServer({ env: { BROADCAST_TO_SENDER: 'true' } });
    const old = await echoing.user('old', {});
    await old.subscribe('tasks');
    await old.write({ id: 'c1', collection: 'tasks', documentId: 'a', data: { n: 1 } });
    await old.mark();
    expect(old.deliveries()).toMatchObject([{ id: 'c1', operation: 'insert' }]);
  });
});

describe('before the first subscription', () => {
  it('a modern client is sent nothing', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    await stage.writer.write({ collection, documentId: 'a', data: { n: 1 } });
    await reader.mark();
    const sent = reader.received.map(({ event }) => event).filter((event) => !event.startsWith('ack of'));
    expect(sent).toEqual(['joined']);
  });

  it('an old client is sent every change, of every collection, until it subscribes', async () => {
    const [one, other] = [newCollection(), newCollection()];
    const old = await stage.server.user('old', {});
    await stage.writer.write({ collection: one, documentId: 'a', data: { n: 1 } });
    await stage.writer.write({ collection: other, documentId: 'b', data: { n: 2 } });
    await old.mark();
    expect(old.deliveries()).toMatchObject([
      { collection: one, documentId: 'a', data: { n: 1 } },
      { collection: other, documentId: 'b', data: { n: 2 } },
    ]);
    await old.subscribe(one);
    old.forget();
    await stage.writer.write({ collection: other, documentId: 'c', data: { n: 3 } });
    await stage.writer.write({ collection: one, documentId: 'd', data: { n: 4 } });
    await old.mark();
    expect(old.deliveries()).toMatchObject([{ collection: one, documentId: 'd' }]);
  });
});

describe('sync:mark', () => {
  it('is answered when everything committed before it has arrived', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection);
    for (let n = 0; n < 20; n++) {
      await stage.writer.write({ collection, documentId: `d${n}`, data: { n } });
      await reader.mark();
      expect(reader.view.documents(collection)).toHaveLength(n + 1);
    }
  });

  it('asked during a bootstrap is answered after its last page', async () => {
    const collection = newCollection();
    await fill(collection, 300);
    const reader = await stage.server.user('reader');
    const subscribed = reader.call('sync:subscribe', { collection });
    const marked = reader
      .call('sync:mark', {})
      .then((answer) => ({ answer, held: reader.view.ids(collection).length }));
    await subscribed;
    const { answer, held } = await marked;
    expect(answer).toMatchObject({ success: true, checkpoint: expect.any(String) });
    expect(held).toBe(300);
  });

  it('works without a subscription', async () => {
    const reader = await stage.server.user('reader');
    expect(await reader.call('sync:mark')).toMatchObject({ success: true, checkpoint: expect.any(String) });
  });
});

describe('sync:checkpoint', () => {
  it('comes when history moves without anything for this client', async () => {
    const [mine, other] = [newCollection(), newCollection()];
    const reader = await stage.server.user('reader');
    await reader.subscribe(mine);
    const before = await reader.mark();
    await stage.writer.write({ collection: other, documentId: 'a', data: {} });
    const { checkpoint } = await reader.next('sync:checkpoint', (payload) => payload.checkpoint !== before);
    expect(typeof checkpoint).toBe('string');
    expect(reader.deliveries()).toEqual([]);
  });
});
