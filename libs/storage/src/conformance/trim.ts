import { expect, it } from '@jest/globals';
import type { Store } from '../port.ts';
import { allDocuments, idsOf } from './pages.ts';
import type { StoreContext } from './store-rig.ts';
import {
  changeOf,
  commit,
  currentEpoch,
  lane,
  laneOne,
  logOf,
  outcomeOf,
  refOf,
  seq,
  stateOf,
  supersede,
} from './writes.ts';

async function trimAll(store: Store, before: number, limit = 1000): Promise<number> {
  let trimmed = 0;
  for (;;) {
    const step = await store.trim({ before, limit });
    expect(step.trimmed).toBeLessThanOrEqual(limit);
    trimmed += step.trimmed;
    if (step.done) return trimmed;
    expect(step.trimmed).toBeGreaterThan(0);
  }
}

const readFrom = (store: Store, after: number, of = laneOne) =>
  store.readLog({ epoch: currentEpoch(store), lane: of, after: seq(after), limit: 10 });

export function trimCases(context: StoreContext): void {
  it('removes old entries from the tail and says so', async () => {
    const store = await context.open();
    for (const at of [100, 200, 300, 400]) await commit(store, [{ documentId: `d${at}`, fields: {}, at }]);
    await trimAll(store, 300);
    expect(await store.heads(currentEpoch(store))).toEqual([{ lane: 0, head: 4, trimmed: 2 }]);
    await expect(readFrom(store, 0)).rejects.toMatchObject({ kind: 'trimmed' });
    await expect(readFrom(store, 1)).rejects.toMatchObject({ kind: 'trimmed' });
    expect((await readFrom(store, 2)).map((entry) => entry.seq)).toEqual([3, 4]);
    expect(await allDocuments(store, 'tasks')).toHaveLength(4);
  });

  it('can empty a lane, which then goes on', async () => {
    const store = await context.open({ lanes: 2 });
    await commit(store, [
      { documentId: 'a', fields: {}, at: 100 },
      { documentId: 'b', fields: {}, at: 100, lane: lane(1) },
    ]);
    await trimAll(store, 1_000);
    expect(await store.heads(currentEpoch(store))).toEqual([
      { lane: 0, head: 1, trimmed: 1 },
      { lane: 1, head: 1, trimmed: 1 },
    ]);
    expect(await readFrom(store, 1)).toEqual([]);
    const [entry] = await commit(store, [{ documentId: 'a', fields: {}, at: 2_000 }]);
    expect(entry!.seq).toBe(2);
    expect(await readFrom(store, 1)).toEqual([entry]);
  });

  it('stops at the first entry that stays, whatever follows it', async () => {
    const store = await context.open();
    for (const at of [100, 900, 200]) await commit(store, [{ documentId: `d${at}`, fields: {}, at }]);
    await trimAll(store, 500);
    expect((await readFrom(store, 1)).map((entry) => entry.seq)).toEqual([2, 3]);
  });

  it('trims outcomes with their entries, superseded ones by their time', async () => {
    const store = await context.open();
    const [old, young, lostOld, lostYoung] = ['old', 'young', 'lost-old', 'lost-young'].map((id) =>
      changeOf('alice', id),
    );
    await commit(store, [{ documentId: 'a', fields: {}, at: 100, change: old! }]);
    await commit(store, [{ documentId: 'b', fields: {}, at: 900, change: young! }]);
    await supersede(store, lostOld!, 100);
    await supersede(store, lostYoung!, 900);
    await trimAll(store, 500);
    expect(await outcomeOf(store, old!)).toBeUndefined();
    expect(await outcomeOf(store, lostOld!)).toBeUndefined();
    expect(await outcomeOf(store, young!)).toMatchObject({ kind: 'applied', seq: 2 });
    expect(await outcomeOf(store, lostYoung!)).toMatchObject({ kind: 'superseded' });
    const again = await commit(store, [{ documentId: 'c', fields: {}, at: 950, change: old! }]);
    expect(again[0]!.seq).toBe(3);
  });

  it('removes a tombstone with the entry of its delete, and only then', async () => {
    const store = await context.open();
    await commit(store, [{ documentId: 'gone', fields: {}, at: 100 }]);
    await commit(store, [{ documentId: 'gone', fields: null, at: 200 }]);
    await trimAll(store, 200);
    expect(await stateOf(store, refOf('tasks', 'gone'))).toMatchObject({ kind: 'tombstone', seq: 2 });
    await trimAll(store, 201);
    expect(await stateOf(store, refOf('tasks', 'gone'))).toBeUndefined();
  });

  it('spares a document that came back, and a later tombstone', async () => {
    const store = await context.open();
    for (const documentId of ['back', 'again']) {
      await commit(store, [{ documentId, fields: { n: 1 }, at: 100 }]);
      await commit(store, [{ documentId, fields: null, at: 200 }]);
      await commit(store, [{ documentId, fields: { n: 2 }, at: 900 }]);
    }
    await commit(store, [{ documentId: 'again', fields: null, at: 950 }]);
    await trimAll(store, 500);
    expect(idsOf(await allDocuments(store, 'tasks'))).toEqual(['back']);
    expect(await stateOf(store, refOf('tasks', 'again'))).toMatchObject({ kind: 'tombstone', timestamp: 950 });
  });

  it('trims in steps of the limit', async () => {
    const store = await context.open({ lanes: 2 });
    const writes = Array.from({ length: 20 }, (_, n) => ({
      documentId: `d${n}`,
      fields: n % 2 ? {} : null,
      lane: lane(n % 2),
      at: 100,
    }));
    await commit(store, writes);
    const first = await store.trim({ before: 500, limit: 3 });
    expect(first).toEqual({ trimmed: 3, done: false });
    expect(await trimAll(store, 500, 3)).toBe(17);
    expect(await store.trim({ before: 500, limit: 3 })).toEqual({ trimmed: 0, done: true });
    expect((await store.heads(currentEpoch(store))).map(({ trimmed }) => trimmed)).toEqual([10, 10]);
  });

  it('trims while others commit', async () => {
    const store = await context.open();
    await commit(
      store,
      Array.from({ length: 50 }, (_, n) => ({ documentId: `d${n}`, fields: {}, at: 100 })),
    );
    const [, ...committed] = await Promise.all([
      trimAll(store, 500, 10),
      ...Array.from({ length: 10 }, (_, n) => commit(store, [{ documentId: `e${n}`, fields: {}, at: 900 }])),
    ]);
    expect(committed.flat().map((entry) => entry.seq)).toEqual(expect.arrayContaining([51, 60]));
    expect(await store.heads(currentEpoch(store))).toEqual([{ lane: 0, head: 60, trimmed: 50 }]);
    expect(await logOf(store, laneOne, 50)).toHaveLength(10);
  });

  it('counts every change that was ever committed', async () => {
    let store = await context.open();
    expect(await store.statistics()).toEqual({ changes: 0 });
    await commit(
      store,
      [1, 2, 3].map((n) => ({ documentId: `d${n}`, fields: {}, at: 100 })),
    );
    await supersede(store, changeOf('alice', 'lost'), 100);
    await trimAll(store, 1_000);
    expect(await store.statistics()).toEqual({ changes: 3 });
    store = await context.reopen(store);
    await commit(store, [{ documentId: 'd4', fields: {} }]);
    expect(await store.statistics()).toEqual({ changes: 4 });
  });
}
