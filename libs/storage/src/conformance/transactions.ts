import { expect, it } from '@jest/globals';
import type { DocumentId } from '@tidemark/protocol';
import fc from 'fast-check';
import type { Store } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { allDocuments } from './pages.ts';
import type { StoreContext } from './store-rig.ts';
import {
  changeOf,
  commit,
  emptyPlan,
  headOf,
  lane,
  laneOne,
  logOf,
  look,
  newChange,
  planOf,
  refOf,
  requestFor,
  stateOf,
} from './writes.ts';

const sixteenMiB = 16 * 1024 * 1024;

export function transactionCases(context: StoreContext): void {
  it('commits documents, entries and head together', async () => {
    const store = await context.open();
    const entries = await commit(store, [
      { documentId: 'a', fields: { n: 1 } },
      { documentId: 'b', fields: { n: 2 } },
      { documentId: 'a', fields: { n: 3 } },
    ]);
    expect(await headOf(store)).toBe(3);
    expect(await logOf(store)).toEqual(entries);
    expect(await store.heads(store.history.epochs[0]!.epoch)).toEqual([{ lane: 0, head: 3, trimmed: 0 }]);
    const state = await stateOf(store, refOf('tasks', 'a'));
    expect(state).toEqual({ kind: 'document', document: entries[2]!.after });
  });

  it('returns what decide returned', async () => {
    const store = await context.open();
    expect(await look(store, {}, () => 'the result')).toBe('the result');
  });

  it('commits nothing when decide throws, and hands its error on', async () => {
    const store = await context.open();
    const mistake = new Error('mistake');
    const attempt = store.transact(requestFor(store, [{ documentId: 'a', fields: {} }]), () => {
      throw mistake;
    });
    await expect(attempt).rejects.toBe(mistake);
    expect(await headOf(store)).toBe(0);
    expect(await commit(store, [{ documentId: 'a', fields: {} }])).toHaveLength(1);
  });

  it('commits all of a plan or nothing of it', async () => {
    const store = await context.open();
    await commit(store, [{ documentId: 'stays', fields: { n: 1 } }]);
    const change = newChange();
    const tooLarge = commit(store, [
      { documentId: 'stays', fields: { n: 2 }, change },
      { documentId: 'huge', fields: { text: 'x'.repeat(sixteenMiB) } },
    ]);
    await expect(tooLarge).rejects.toMatchObject({ kind: 'too_large' });
    expect(await headOf(store)).toBe(1);
    expect(await logOf(store)).toHaveLength(1);
    expect(await stateOf(store, refOf('tasks', 'huge'))).toBeUndefined();
    expect(await stateOf(store, refOf('tasks', 'stays'))).toMatchObject({ document: { n: 1 } });
    expect(await look(store, { changes: [change] }, (snapshot) => snapshot.outcome(change))).toBeUndefined();
  });

  it('does not let a poisoned transaction harm the ones that run beside it', async () => {
    const store = await context.open({ lanes: 3 });
    const results = await Promise.allSettled([
      commit(store, [{ documentId: 'a', fields: { n: 1 }, lane: lane(0) }]),
      commit(store, [{ documentId: 'b', fields: { text: 'x'.repeat(sixteenMiB) }, lane: lane(1) }]),
      commit(store, [{ documentId: 'c', fields: { n: 3 }, lane: lane(2) }]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await allDocuments(store, 'tasks')).map((document) => document._id)).toEqual(['a', 'c']);
  });

  it('reads only when the plan is empty', async () => {
    const store = await context.open();
    const request = requestFor(store, [], { lanes: [laneOne], fences: [{ lane: laneOne, token: 9 }] });
    await store.transact(request, () => ({ plan: emptyPlan, result: undefined }));
    expect(await headOf(store)).toBe(0);
    const earlier = commit(store, [{ documentId: 'a', fields: {} }], { fences: [{ lane: laneOne, token: 1 }] });
    expect(await earlier).toHaveLength(1);
  });

  it('shows a transaction what was committed before it, also when it did not wait', async () => {
    const store = await context.open();
    const first = commit(store, [{ documentId: 'a', fields: { n: 1 } }]);
    const second = commit(store, [{ documentId: 'a', fields: { n: 2 } }]);
    const entries = [...(await first), ...(await second)].toSorted((a, b) => a.seq - b.seq);
    expect(entries[1]!.before).toEqual(entries[0]!.after);
  });

  it('gives concurrent transactions on one lane one order without gap or double', async () => {
    const store = await context.open();
    const commits = Array.from({ length: 40 }, (_, n) =>
      commit(store, [
        { documentId: `d${n % 5}`, fields: { n } },
        { documentId: `e${n}`, fields: { n } },
      ]),
    );
    const committed = (await Promise.all(commits)).flat().toSorted((a, b) => a.seq - b.seq);
    expect(committed.map(({ seq }) => seq)).toEqual(Array.from({ length: 80 }, (_, i) => i + 1));
    expect(await logOf(store)).toEqual(committed);
  });

  it('keeps snapshots consistent while others commit', async () => {
    const store = await context.open({ lanes: 2 });
    const [from, to] = [refOf('accounts', 'from'), refOf('accounts', 'to')];
    const transfer = transferBetween(store);
    await transfer(0);
    const sums = Array.from({ length: 20 }, () => look(store, { documents: [from, to] }, sumOf));
    const transfers = Array.from({ length: 20 }, (_, n) => transfer(n + 1));
    expect(new Set(await Promise.all(sums))).toEqual(new Set([100]));
    await Promise.all(transfers);
    expect(await look(store, { documents: [from, to] }, sumOf)).toBe(100);
    function sumOf(snapshot: Parameters<Parameters<typeof look>[2]>[0]): number {
      return [from, to].reduce((sum, ref) => {
        const state = snapshot.state(ref);
        return sum + (state?.kind === 'document' ? Number(state.document.amount) : Number.NaN);
      }, 0);
    }
  });

  it('is not misled by a caller who expects documents to be new', async () => {
    const write = fc.record({
      documentId: fc.constantFrom<DocumentId[]>('a', 'b', 'c'),
      fields: fc.option(fc.record({ n: fc.nat(9) }), { freq: 2 }),
    });
    const group = fc.record({
      writes: fc.array(write, { minLength: 1, maxLength: 3 }),
      expected: fc.subarray<DocumentId>(['a', 'b', 'c']),
    });
    let store = await context.open();
    let collections = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(group, { maxLength: 5 }), async (groups) => {
        // A store may stop believing; one that is opened anew believes again.
        store = await context.reopen(store);
        const collection = `tasks${++collections}`;
        const documents = new Map<DocumentId, unknown>();
        for (const { writes, expected } of groups) {
          const ids = writes.map(({ documentId }): DocumentId => documentId);
          const expectedNew = expected.filter((id) => ids.includes(id)).map((id) => refOf(collection, id));
          const placed = writes.map((write) => ({ ...write, collection }));
          for (const { documentId, before, after } of await commit(store, placed, { expectedNew })) {
            expect(before).toEqual(documents.get(documentId) ?? null);
            documents.set(documentId, after);
          }
        }
        const present = [...documents.values()].filter((document) => document !== null);
        const stored = await allDocuments(store, collection);
        expect(stored).toEqual(expect.arrayContaining(present));
        expect(stored).toHaveLength(present.length);
      }),
      { numRuns: 25 },
    );
  });

  it('advances several lanes in one transaction, and no other', async () => {
    const store = await context.open({ lanes: 4 });
    await commit(store, [
      { documentId: 'a', fields: {}, lane: lane(0) },
      { documentId: 'b', fields: {}, lane: lane(2) },
      { documentId: 'c', fields: {}, lane: lane(2) },
    ]);
    const heads = await store.heads(store.history.epochs[0]!.epoch);
    expect(heads.map(({ head }) => head)).toEqual([1, 0, 2, 0]);
    expect((await logOf(store, lane(2))).map(({ documentId }) => documentId)).toEqual(['b', 'c']);
  });

  it('lets transactions that name the same lanes in another order both commit', async () => {
    const store = await context.open({ lanes: 2 });
    const commits = Array.from({ length: 20 }, (_, n) => {
      const lanes = n % 2 === 0 ? [lane(0), lane(1)] : [lane(1), lane(0)];
      return commit(
        store,
        lanes.map((of) => ({ documentId: `${n}-${of}`, fields: {}, lane: of })),
        { lanes },
      );
    });
    await Promise.all(commits);
    expect(await headOf(store, lane(0))).toBe(20);
    expect(await headOf(store, lane(1))).toBe(20);
  });

  it('asks a pure decide again rather than commit on a head that moved', async () => {
    const store = await context.open();
    const seen: number[] = [];
    const run = (documentId: string) => {
      const writes = [{ documentId, fields: {}, change: newChange() }];
      const request = requestFor(store, writes);
      return store.transact(request, (snapshot) => {
        seen.push(snapshot.head(laneOne));
        return { plan: planOf(request.epoch, writes, snapshot), result: snapshot.head(laneOne) };
      });
    };
    const heads = await Promise.all([run('a'), run('b'), run('c')]);
    expect(heads.toSorted()).toEqual([0, 1, 2]);
    expect(seen.length).toBeGreaterThanOrEqual(3);
  });

  it('remembers who wrote a tombstone and when', async () => {
    const store = await context.open();
    await commit(store, [{ documentId: 'a', fields: { n: 1 } }]);
    await commit(store, [{ documentId: 'a', fields: null, at: 2000, change: changeOf('bob', 'gone') }]);
    expect(await stateOf(store, refOf('tasks', 'a'))).toEqual({
      kind: 'tombstone',
      timestamp: 2000,
      author: 'bob',
      seq: 2,
      deletedAt: 2000,
    });
    expect(await allDocuments(store, 'tasks')).toEqual([]);
    await commit(store, [{ documentId: 'a', fields: { n: 3 }, at: 3000 }]);
    expect(await allDocuments(store, 'tasks')).toMatchObject([{ _id: 'a', n: 3 }]);
  });

  it('keeps the versions of fields', async () => {
    const store = await context.open();
    const fieldVersions = {
      n: { timestamp: 5, author: newChange('bob').author },
      m: { timestamp: 7, author: undefined },
    };
    await commit(store, [{ documentId: 'a', fields: { n: 1, m: 2 }, fieldVersions }]);
    const state = await stateOf(store, refOf('tasks', 'a'));
    expect(state).toMatchObject({
      kind: 'document',
      fieldVersions: { n: { timestamp: 5, author: 'bob' }, m: { timestamp: 7 } },
    });
    expect(await allDocuments(store, 'tasks')).toEqual([(state as { document: unknown }).document]);
  });

  it('throws nothing but StoreError of its own', async () => {
    const store = await context.open();
    const odd = requestFor(store, [{ documentId: 'a', fields: {} }], { lanes: [lane(7)] });
    const error = await store
      .transact(odd, (snapshot) => ({ plan: emptyPlan, result: snapshot.head(lane(7)) }))
      .catch((e) => e);
    expect(StoreError.is(error)).toBe(true);
  });
}

/** Moves amounts between two accounts on two lanes; their sum is always 100. */
function transferBetween(store: Store): (n: number) => Promise<unknown> {
  return (n) =>
    commit(store, [
      { collection: 'accounts', documentId: 'from', fields: { amount: 100 - n }, lane: lane(0) },
      { collection: 'accounts', documentId: 'to', fields: { amount: n }, lane: lane(1) },
    ]);
}
