import { expect, it } from '@jest/globals';
import type { StoreContext } from './store-rig.ts';
import { changeOf, commit, lane, look, outcomeOf, supersede } from './writes.ts';

export function outcomeCases(context: StoreContext): void {
  it('knows nothing of a change that was not committed', async () => {
    const store = await context.open();
    expect(await outcomeOf(store, changeOf('alice', 'unknown'))).toBeUndefined();
  });

  it('remembers where an applied change stands', async () => {
    const store = await context.open({ lanes: 3 });
    const change = changeOf('alice', 'one');
    await commit(store, [{ documentId: 'before', fields: {}, lane: lane(2) }]);
    await commit(store, [{ documentId: 'a', fields: { n: 1 }, change, lane: lane(2), at: 4711 }]);
    expect(await outcomeOf(store, change)).toEqual({
      kind: 'applied',
      ...change,
      collection: 'tasks',
      documentId: 'a',
      timestamp: 4711,
      committedAt: 4711,
      lane: 2,
      seq: 2,
    });
  });

  it('remembers a superseded change without an entry', async () => {
    const store = await context.open();
    const recorded = await supersede(store, changeOf('alice', 'late'));
    expect(await outcomeOf(store, recorded)).toEqual(recorded);
    expect(await store.heads(store.history.epochs[0]!.epoch)).toEqual([{ lane: 0, head: 0, trimmed: 0 }]);
  });

  it('tells authors and ids apart, however they are cut', async () => {
    const store = await context.open();
    const changes = [
      changeOf('ab', 'c'),
      changeOf('a', 'bc'),
      changeOf('abc', ''.padEnd(3, '-')),
      changeOf('a:b', 'c'),
      changeOf('a', 'b:c'),
      changeOf('a', 'c'),
      changeOf('a', 'c '),
      changeOf('Ä', 'ü'),
      changeOf('😀', 'x'.repeat(256)),
      changeOf('u'.repeat(256), '日'.repeat(256)),
    ];
    await commit(
      store,
      changes.map((change, n) => ({ documentId: `d${n}`, fields: { n }, change })),
    );
    const read = await look(store, { changes }, (snapshot) => changes.map((change) => snapshot.outcome(change)));
    expect(read.map((outcome) => outcome?.documentId)).toEqual(changes.map((_, n) => `d${n}`));
    expect(read).toEqual(changes.map((change) => expect.objectContaining({ ...change })));
    expect(await outcomeOf(store, changeOf('b', 'c'))).toBeUndefined();
  });

  it('never lets one change take effect twice', async () => {
    const store = await context.open();
    const change = changeOf('alice', 'once');
    await commit(store, [{ documentId: 'a', fields: { n: 1 }, change }]);
    await expect(commit(store, [{ documentId: 'b', fields: {}, change }])).rejects.toMatchObject({
      name: 'StoreError',
    });
    expect(await store.statistics()).toEqual({ changes: 1 });
    expect(await outcomeOf(store, change)).toMatchObject({ documentId: 'a' });
  });
}
