import { describe, expect, it, jest } from '@jest/globals';
import type { BootstrapMessage } from '@tidemark/protocol';
import { ReadingStage } from '../rig/stage.ts';

// Generous, for machines that are busy.
jest.setTimeout(60_000);

const stage = new ReadingStage();
const { fill, newCollection, remove, update } = stage;

describe('sync:subscribe', () => {
  it('is answered, then sends pages, then live changes', async () => {
    const collection = newCollection();
    await fill(collection, 25);
    const reader = await stage.server.user('reader');
    reader.forget();
    const answer = await reader.call('sync:subscribe', { collection });
    expect(answer).toMatchObject({ success: true, resumed: false, count: 1 });
    const last = await reader.bootstrapped(answer.subscriptionId);
    expect(reader.received[0]?.event).toBe('ack of sync:subscribe');
    const pages = reader.payloads<BootstrapMessage>('sync:bootstrap');
    expect(pages.map((page) => page.page)).toEqual([0, 1, 2]);
    expect(pages.map((page) => page.hasMore)).toEqual([true, true, false]);
    expect(pages.every((page) => page.subscription === answer.subscriptionId && page.collection === collection)).toBe(
      true,
    );
    expect(pages.slice(0, -1).every((page) => page.checkpoint === undefined)).toBe(true);
    expect(typeof last.checkpoint).toBe('string');
    expect(reader.view.documents(collection)).toHaveLength(25);

    await update(collection, 'd0001', { n: 100 });
    await reader.next('sync:changes');
    expect(reader.view.get(collection, 'd0001')).toMatchObject({ n: 100, sync_version: expect.any(Number) });
  });

  it('of what has no documents sends one empty page with the checkpoint', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    const { subscriptionId } = await reader.call('sync:subscribe', { collection, filter: 'a == 1' });
    expect(await reader.next<BootstrapMessage>('sync:bootstrap')).toEqual({
      subscription: subscriptionId,
      collection,
      data: [],
      page: 0,
      hasMore: false,
      checkpoint: expect.any(String),
    });
  });

  it('a given id becomes the subscriptionId', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    const answer = await reader.subscribe(collection, { id: 'mine', name: 'any name' });
    expect(answer.subscriptionId).toBe('mine');
    expect(reader.payloads('sync:bootstrap')).toMatchObject([{ subscription: 'mine' }]);
  });

  it.each([
    { filter: 'n >= 5' },
    { query: 'n >= 5' },
    { filter: 'n >= $0', args: [5] },
    { query: 'n >= $0', args: [5] },
  ])('%j selects', async (filter) => {
    const collection = newCollection();
    await fill(collection, 10);
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, filter);
    expect(reader.view.documents(collection).map((document) => document.n)).toEqual([5, 6, 7, 8, 9]);
  });

  it.each([{}, { filter: '' }, { filter: null }, { query: null, filter: null }])(
    '%j means all that the user may read',
    async (filter) => {
      const collection = newCollection();
      await fill(collection, 3);
      const reader = await stage.server.user('reader');
      await reader.subscribe(collection, filter);
      expect(reader.view.documents(collection)).toHaveLength(3);
    },
  );

  it.each([
    'n ==',
    'n == 1 SORT(n ASC)',
    'LIMIT(1)',
    'TRUEPREDICATE DISTINCT(n)',
    'SUBQUERY(a, $x, $x.b == 1).@count > 0',
    'n == $0',
    '((n == 1)',
    'n === 1',
  ])('%s is invalid_query with the position, and nothing is subscribed', async (filter) => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    const answer = await reader.call('sync:subscribe', { collection, filter });
    expect(answer).toMatchObject({ success: false, code: 'invalid_query', error: expect.stringMatching(/\d/) });
    await update(collection, 'a', { n: 1 });
    await reader.mark();
    expect(reader.deliveries()).toEqual([]);
  });

  it('without a collection is refused with the words that old clients know', async () => {
    const reader = await stage.server.user('reader');
    for (const payload of [{}, { collection: '' }, { collection: null }, undefined, { filter: 'a == 1' }]) {
      const answer = await reader.call('sync:subscribe', payload);
      expect(answer).toMatchObject({ success: false, code: 'invalid_message' });
      expect(answer.error).toMatch(/^collection required/);
    }
  });

  it('count is the number of subscriptions of this socket on the collection', async () => {
    const [one, other] = [newCollection(), newCollection()];
    const reader = await stage.server.user('reader');
    expect((await reader.subscribe(one)).count).toBe(1);
    expect((await reader.subscribe(other)).count).toBe(1);
    expect((await reader.subscribe(one, { filter: 'n == 1' })).count).toBe(2);
  });

  it('with bootstrap: false sends only what comes from now on', async () => {
    const collection = newCollection();
    await fill(collection, 3);
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, { bootstrap: false });
    await stage.writer.write({ collection, documentId: 'new', data: { n: 9 } });
    await reader.mark();
    expect(reader.payloads('sync:bootstrap')).toEqual([]);
    expect(reader.deliveries()).toMatchObject([{ operation: 'insert', documentId: 'new' }]);
  });

  it('a first load under writes misses nothing and ends equal to the store', async () => {
    const collection = newCollection();
    await fill(collection, 200);
    const reader = await stage.server.user('reader');
    const writing = (async () => {
      for (let n = 0; n < 60; n++) {
        await update(collection, `d${String((n * 37) % 100).padStart(4, '0')}`, { extra: n });
        if (n % 5 === 0) await remove(collection, `d${100 + ((n * 53) % 100)}`.replace('d', 'd0'));
        if (n % 7 === 0) await stage.writer.write({ collection, documentId: `new${n}`, data: { n: -n } });
      }
    })();
    await reader.subscribe(collection);
    await writing;
    await reader.mark();
    const other = await stage.server.user('other');
    await other.subscribe(collection);
    expect(reader.view.documents(collection)).toEqual(other.view.documents(collection));
  });
});

describe('sync:unsubscribe', () => {
  it('by id ends that one; the others go on', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    const first = await reader.subscribe(collection, { filter: 'n == 1' });
    await reader.subscribe(collection, { filter: 'n == 2' });
    const answer = await reader.call('sync:unsubscribe', { subscriptionId: first.subscriptionId });
    expect(answer).toEqual({ success: true, count: 1 });
    await stage.writer.write({ collection, documentId: 'a', data: { n: 1 } });
    await stage.writer.write({ collection, documentId: 'b', data: { n: 2 } });
    await reader.mark();
    expect(reader.deliveries()).toMatchObject([{ documentId: 'b' }]);
  });

  it('by collection, filter and arguments ends the equal one', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, { filter: 'n == $0', args: [1] });
    await reader.subscribe(collection, { filter: 'n == $0', args: [2] });
    expect(await reader.call('sync:unsubscribe', { collection, filter: 'n == $0', args: [1] })).toEqual({
      success: true,
      count: 1,
    });
    await stage.writer.write({ collection, documentId: 'a', data: { n: 1 } });
    await stage.writer.write({ collection, documentId: 'b', data: { n: 2 } });
    await reader.mark();
    expect(reader.deliveries()).toMatchObject([{ documentId: 'b' }]);
  });

  it('by collection alone ends all of it', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, { filter: 'n == 1' });
    await reader.subscribe(collection, { filter: 'n == 2' });
    expect(await reader.call('sync:unsubscribe', { collection })).toEqual({ success: true, count: 0 });
    await stage.writer.write({ collection, documentId: 'a', data: { n: 1 } });
    await reader.mark();
    expect(reader.deliveries()).toEqual([]);
  });

  it('what is not subscribed is no error, and nothing named is one', async () => {
    const reader = await stage.server.user('reader');
    expect(await reader.call('sync:unsubscribe', { subscriptionId: 'unknown' })).toMatchObject({ success: true });
    const answer = await reader.call('sync:unsubscribe', {});
    expect(answer).toMatchObject({ success: false, code: 'invalid_message' });
    expect(answer.error).toMatch(/^collection required/);
  });
});

describe('sync:update_subscriptions', () => {
  it('replaces the set: equal ones go on untouched, new ones are bootstrapped, dropped ones end', async () => {
    const [kept, fresh, dropped] = [newCollection(), newCollection(), newCollection()];
    for (const collection of [kept, fresh, dropped]) await fill(collection, 3);
    const reader = await stage.server.user('reader');
    const before = await reader.join({
      protocol: 1,
      subscriptions: [{ collection: kept, filter: 'n >= $0', args: [0], id: 'k' }, { collection: dropped }],
    });
    await reader.mark();
    reader.forget();
    const answer = await reader.call('sync:update_subscriptions', {
      subscriptions: [
        { collection: fresh, id: 'f' },
        { collection: kept, query: 'n >= $0', args: [0], id: 'k' },
      ],
    });
    expect(answer).toMatchObject({ success: true, subscriptionIds: ['f', 'k'] });
    expect(answer.version).toBeGreaterThan(before.subscriptionVersion);
    expect(Math.abs(answer.timestamp - Date.now())).toBeLessThan(60_000);
    await reader.bootstrapped('f');
    for (const collection of [kept, fresh, dropped]) await update(collection, 'd0001', { n: 50 });
    await reader.mark();
    expect(reader.payloads<BootstrapMessage>('sync:bootstrap').map((page) => page.subscription)).toEqual(['f']);
    expect(reader.deliveries().map((change) => change.collection)).toEqual([kept, fresh]);
  });

  it('an equal subscription under another id is renamed, not sent again', async () => {
    const collection = newCollection();
    await fill(collection, 3);
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, { id: 'old-name' });
    reader.forget();
    const answer = await reader.call('sync:update_subscriptions', { subscriptions: [{ collection, id: 'new-name' }] });
    expect(answer.subscriptionIds).toEqual(['new-name']);
    await reader.mark();
    expect(reader.payloads('sync:bootstrap')).toEqual([]);
    await reader.call('sync:unsubscribe', { subscriptionId: 'old-name' });
    await update(collection, 'd0000', { n: 9 });
    await reader.mark();
    expect(reader.deliveries()).toHaveLength(1);
    expect(await reader.call('sync:unsubscribe', { subscriptionId: 'new-name' })).toEqual({ success: true, count: 0 });
  });

  it('other arguments make another subscription', async () => {
    const collection = newCollection();
    await fill(collection, 4);
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection, { filter: 'n == $0', args: [1], id: 's' });
    await reader.call('sync:update_subscriptions', {
      subscriptions: [{ collection, filter: 'n == $0', args: [2], id: 's' }],
    });
    const page = await reader.bootstrapped('s');
    expect(page.data).toMatchObject([{ n: 2 }]);
  });

  it('one id twice is invalid_message, and the set stays as it was', async () => {
    const [one, other] = [newCollection(), newCollection()];
    const reader = await stage.server.user('reader');
    await reader.subscribe(one);
    const answer = await reader.call('sync:update_subscriptions', {
      subscriptions: [
        { collection: other, id: 'twice' },
        { collection: one, id: 'twice' },
      ],
    });
    expect(answer).toMatchObject({ success: false, code: 'invalid_message' });
    await stage.writer.write({ collection: one, documentId: 'a', data: {} });
    await stage.writer.write({ collection: other, documentId: 'a', data: {} });
    await reader.mark();
    expect(reader.deliveries().map((change) => change.collection)).toEqual([one]);
  });

  it('one filter that does not parse refuses the whole update', async () => {
    const [one, other] = [newCollection(), newCollection()];
    const reader = await stage.server.user('reader');
    await reader.subscribe(one);
    const answer = await reader.call('sync:update_subscriptions', {
      subscriptions: [{ collection: other }, { collection: other, filter: 'n ==' }],
    });
    expect(answer).toMatchObject({ success: false, code: 'invalid_query' });
    await stage.writer.write({ collection: one, documentId: 'a', data: {} });
    await stage.writer.write({ collection: other, documentId: 'a', data: {} });
    await reader.mark();
    expect(reader.deliveries().map((change) => change.collection)).toEqual([one]);
  });

  it('an empty set ends all', async () => {
    const collection = newCollection();
    const reader = await stage.server.user('reader');
    await reader.subscribe(collection);
    expect(await reader.call('sync:update_subscriptions', { subscriptions: [] })).toMatchObject({
      success: true,
      subscriptionIds: [],
    });
    await stage.writer.write({ collection, documentId: 'a', data: {} });
    await reader.mark();
    expect(reader.deliveries()).toEqual([]);
  });

  it('on a running socket a checkpoint means nothing', async () => {
    const [one, other] = [newCollection(), newCollection()];
    await fill(other, 3);
    const reader = await stage.server.user('reader');
    await reader.subscribe(one);
    const checkpoint = await reader.mark();
    await reader.call('sync:update_subscriptions', {
      subscriptions: [{ collection: one }, { collection: other, id: 'o' }],
      checkpoint,
    });
    expect((await reader.bootstrapped('o')).data).toHaveLength(3);
  });
});
