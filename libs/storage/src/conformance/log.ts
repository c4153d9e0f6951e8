import { expect, it } from '@jest/globals';
import type { Store } from '../port.ts';
import type { StoreContext } from './store-rig.ts';
import { commit, currentEpoch, lane, laneOne, logOf, seq } from './writes.ts';

const read = (store: Store, after: number, limit: number, of = laneOne) =>
  store.readLog({ epoch: currentEpoch(store), lane: of, after: seq(after), limit });

const seqs = (entries: readonly { readonly seq: number }[]) => entries.map((entry) => entry.seq);

export function logCases(context: StoreContext): void {
  it('returns what follows a seq, in order, up to the limit', async () => {
    const store = await context.open();
    await commit(
      store,
      Array.from({ length: 300 }, (_, n) => ({ documentId: `d${n}`, fields: { n } })),
    );
    expect(seqs(await read(store, 0, 3))).toEqual([1, 2, 3]);
    expect(seqs(await read(store, 255, 3))).toEqual([256, 257, 258]);
    expect(seqs(await read(store, 298, 10))).toEqual([299, 300]);
    expect(await read(store, 300, 10)).toEqual([]);
    expect(seqs(await logOf(store))).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
  });

  it('keeps lanes apart', async () => {
    const store = await context.open({ lanes: 300 });
    const lanes = [0, 1, 2, 255, 256, 299].map(lane);
    await commit(
      store,
      lanes.flatMap((of) => [1, 2].map((n) => ({ documentId: `${of}-${n}`, fields: {}, lane: of }))),
    );
    for (const each of lanes) {
      expect((await logOf(store, each)).map(({ documentId }) => documentId)).toEqual([`${each}-1`, `${each}-2`]);
    }
    expect(await logOf(store, lane(3))).toEqual([]);
  });

  it('returns at least one entry however large it is, and never skips one', async () => {
    const store = await context.open();
    const text = 'x'.repeat(3_000_000);
    for (let n = 0; n < 4; n++) await commit(store, [{ documentId: 'big', fields: { n, text } }]);
    const first = await read(store, 0, 100);
    expect(first.length).toBeGreaterThanOrEqual(1);
    expect(seqs(first)).toEqual(Array.from(first, (_, n) => n + 1));
    expect(seqs(await logOf(store))).toEqual([1, 2, 3, 4]);
  });

  it('shows an entry as soon as its transaction has resolved', async () => {
    const store = await context.open();
    for (let n = 1; n <= 5; n++) {
      await commit(store, [{ documentId: 'a', fields: { n } }]);
      expect(seqs(await read(store, n - 1, 10))).toEqual([n]);
      expect(await store.heads(currentEpoch(store))).toEqual([{ lane: 0, head: n, trimmed: 0 }]);
    }
  });

  it('never shows an entry beyond a gap while lanes are written', async () => {
    const store = await context.open({ lanes: 2 });
    const writing = Promise.all(
      Array.from({ length: 30 }, (_, n) => commit(store, [{ documentId: `d${n}`, fields: {}, lane: lane(n % 2) }])),
    );
    for (let round = 0; round < 10; round++) {
      for (const each of [lane(0), lane(1)]) {
        const entries = await read(store, 0, 100, each);
        expect(seqs(entries)).toEqual(Array.from(entries, (_, n) => n + 1));
      }
    }
    await writing;
    expect(await logOf(store, lane(0))).toHaveLength(15);
  });
}
