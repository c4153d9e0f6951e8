import { expect, it } from '@jest/globals';
import type { Store } from '../port.ts';
import { allDocuments, queryOf } from './pages.ts';
import type { StoreContext } from './store-rig.ts';
import {
  changeOf,
  collectionName,
  commit,
  currentEpoch,
  epoch,
  headOf,
  lane,
  laneOne,
  logOf,
  outcomeOf,
  refOf,
  seq,
  stateOf,
  supersede,
} from './writes.ts';

const withToken = (store: Store, token: number, of = laneOne) =>
  commit(store, [{ documentId: `t${token}`, fields: { token }, lane: of }], { fences: [{ lane: of, token }] });

export function fenceCases(context: StoreContext): void {
  it('refuses a token when a later one has committed', async () => {
    const store = await context.open({ lanes: 2 });
    await withToken(store, 1);
    await withToken(store, 3);
    await withToken(store, 3);
    await expect(withToken(store, 2)).rejects.toMatchObject({ kind: 'fenced' });
    await withToken(store, 2, lane(1));
    await withToken(store, 4);
    expect(await headOf(store)).toBe(4);
  });

  it('holds for every lane of a transaction, and names the lane that is lost and the later token', async () => {
    const store = await context.open({ lanes: 2 });
    const [first, second] = [laneOne, lane(1)];
    const both = (tokens: readonly [number, number]) =>
      commit(store, [{ documentId: 'b', fields: {}, lane: first }], {
        lanes: [first, second],
        fences: [
          { lane: first, token: tokens[0] },
          { lane: second, token: tokens[1] },
        ],
      });
    await both([2, 5]);
    await expect(both([3, 4])).rejects.toMatchObject({ kind: 'fenced', lane: second, token: 5 });
    await expect(both([1, 5])).rejects.toMatchObject({ kind: 'fenced', lane: first, token: 2 });
    expect(await headOf(store)).toBe(1);
  });

  it('remembers the token over a restart', async () => {
    let store = await context.open();
    await withToken(store, 5);
    store = await context.reopen(store);
    await expect(withToken(store, 4)).rejects.toMatchObject({ kind: 'fenced' });
    await withToken(store, 5);
  });

  it('lets one of two owners commit at a time, and none after the later one', async () => {
    const store = await context.open();
    const tokens = Array.from({ length: 20 }, (_, n) => (n % 2) + 1);
    const results = await Promise.allSettled(tokens.map((token) => withToken(store, token)));
    const committed = results.filter(({ status }) => status === 'fulfilled').length;
    const log = await logOf(store);
    expect(log).toHaveLength(committed);
    const order = log.map((entry) => Number(entry.after?.token));
    expect(order).toEqual(order.toSorted());
    expect(order.filter((token) => token === 2)).toHaveLength(10);
  });
}

export function epochCases(context: StoreContext): void {
  it('has one history with one epoch at first', async () => {
    let store = await context.open({ lanes: 4 });
    const { id, epochs } = store.history;
    expect(id).not.toBe('');
    expect(epochs).toEqual([{ epoch: 1, lanes: 4, base: 0 }]);
    store = await context.reopen(store, { lanes: 4 });
    expect(store.history).toEqual({ id, epochs });
  });

  it('begins an epoch after every head of the one before when the number of lanes changes', async () => {
    let store = await context.open({ lanes: 2 });
    const { id } = store.history;
    await commit(
      store,
      [1, 2, 3].map((n) => ({ documentId: `d${n}`, fields: {}, lane: lane(1) })),
    );
    store = await context.reopen(store, { lanes: 3 });
    expect(store.history).toEqual({
      id,
      epochs: [
        { epoch: 1, lanes: 2, base: 0 },
        { epoch: 2, lanes: 3, base: 3 },
      ],
    });
    expect((await store.heads(epoch(2))).map(({ head }) => head)).toEqual([3, 3, 3]);
    const [entry] = await commit(store, [{ documentId: 'd1', fields: { n: 2 }, lane: lane(2) }]);
    expect(entry).toMatchObject({ epoch: 2, lane: 2, seq: 4 });
    expect(await logOf(store, lane(2), 3)).toEqual([entry]);
    expect(await store.statistics()).toEqual({ changes: 4 });
  });

  it('still reads the epoch before, and refuses to write it', async () => {
    let store = await context.open({ lanes: 1 });
    const entries = await commit(store, [{ documentId: 'a', fields: {} }]);
    store = await context.reopen(store, { lanes: 2 });
    expect(await store.heads(epoch(1))).toEqual([{ lane: 0, head: 1, trimmed: 0 }]);
    expect(await logOf(store, laneOne, 0, epoch(1))).toEqual(entries);
    const late = commit(store, [{ documentId: 'b', fields: {} }], { epoch: epoch(1) });
    await expect(late).rejects.toMatchObject({ kind: 'stale_epoch' });
    expect(await outcomeOf(store, entries[0]!)).toMatchObject({ kind: 'applied', lane: 0, seq: 1 });
  });

  it('trims the epoch before as well', async () => {
    let store = await context.open({ lanes: 2 });
    await commit(store, [{ documentId: 'a', fields: null, at: 100, lane: lane(1) }]);
    store = await context.reopen(store, { lanes: 1 });
    await commit(store, [{ documentId: 'b', fields: {}, at: 100 }]);
    await store.trim({ before: 500, limit: 100 });
    expect((await store.heads(epoch(1))).map(({ trimmed }) => trimmed)).toEqual([0, 1]);
    expect(await store.heads(epoch(2))).toEqual([{ lane: 0, head: 2, trimmed: 2 }]);
    expect(await stateOf(store, refOf('tasks', 'a'))).toBeUndefined();
  });
}

export function lifecycleCases(context: StoreContext): void {
  it('keeps everything over a restart', async () => {
    let store = await context.open({ lanes: 2 });
    const change = changeOf('alice', 'kept');
    const entries = await commit(store, [
      { documentId: 'a', fields: { n: 1 }, change, lane: lane(1) },
      { documentId: 'b', fields: null, lane: lane(1) },
    ]);
    const lost = await supersede(store, changeOf('alice', 'lost'));
    store = await context.reopen(store, { lanes: 2 });
    expect(await logOf(store, lane(1))).toEqual(entries);
    expect(await headOf(store, lane(1))).toBe(2);
    expect(await outcomeOf(store, change)).toMatchObject({ kind: 'applied', lane: 1, seq: 1 });
    expect(await outcomeOf(store, lost)).toEqual(lost);
    expect(await allDocuments(store, 'tasks')).toEqual([entries[0]!.after]);
    expect(await stateOf(store, refOf('tasks', 'b'))).toMatchObject({ kind: 'tombstone' });
  });

  it('answers check while it is open', async () => {
    const store = await context.open();
    await expect(store.check()).resolves.toBeUndefined();
    await store.close();
    await expect(store.check()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('closes once, however often it is asked', async () => {
    const store = await context.open();
    await Promise.all([store.close(), store.close()]);
    await store.close();
  });

  it('ends what was begun before it closes', async () => {
    let store = await context.open();
    const begun = Array.from({ length: 10 }, (_, n) => commit(store, [{ documentId: `d${n}`, fields: {} }]));
    const results = Promise.allSettled(begun);
    await store.close();
    const committed = (await results).filter(({ status }) => status === 'fulfilled').length;
    store = await context.open();
    expect(await headOf(store)).toBe(committed);
  });

  it('refuses everything once closed', async () => {
    const store = await context.open();
    const at = currentEpoch(store);
    await store.close();
    const attempts = [
      commit(store, [{ documentId: 'a', fields: {} }]),
      store.heads(at),
      store.readLog({ epoch: at, lane: laneOne, after: seq(0), limit: 1 }),
      store.readDocuments({ collection: collectionName('tasks'), query: queryOf(''), limit: 1 }),
      store.collections(),
      store.recordTide(1, 'token'),
      store.findTide(1),
      store.trim({ before: 1, limit: 1 }),
      store.statistics(),
    ];
    const results = await Promise.allSettled(attempts);
    expect(results).toEqual(
      attempts.map(() => ({ status: 'rejected', reason: expect.objectContaining({ kind: 'unavailable' }) })),
    );
  });
}
