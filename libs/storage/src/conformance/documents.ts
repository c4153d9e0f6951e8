import { expect, it } from '@jest/globals';
import type { Document, JsonObject } from '@tidemark/protocol';
import { compile } from '@tidemark/rql';
import type { DocumentsPage, Store } from '../port.ts';
import { allDocuments, idsOf, queryOf } from './pages.ts';
import type { StoreContext } from './store-rig.ts';
import { collectionName, commit, laneOne, newChange, planOf, refOf, stateOf } from './writes.ts';

const oids = ['5f1d3a2b4c5d6e7f80912345', '5f1d3a2b4c5d6e7f80912346'];

/** Values of many kinds, combined by number so that every run sees the same documents. */
const pools: Readonly<Record<string, readonly (JsonObject[string] | undefined)[]>> = {
  owner: ['alice', 'bob', 'Bob', undefined, null, 'alice ', 7],
  n: [0, 1, 2.5, -1, '1', null, undefined, { $numberLong: '1' }, { $numberDecimal: '2.5' }, [1, 9]],
  tags: [['red'], ['red', 'blue'], [], undefined, 'red', [['red']], [null]],
  at: [
    { $date: '2026-11-24T10:00:00.000Z' },
    { $date: '2025-01-01T00:00:00.000Z' },
    '2026-11-24T10:00:00.000Z',
    undefined,
  ],
  ref: [{ $oid: oids[0]! }, { $oid: oids[1]! }, oids[0]!, undefined],
  place: [{ city: 'Köln', zip: 1 }, { city: 'Kiel' }, { city: null }, undefined, [{ city: 'Köln' }, { city: 'Bonn' }]],
};

const documents = Array.from({ length: 140 }, (_, n) => {
  const fields: Record<string, JsonObject[string]> = { serial: n };
  let at = n;
  for (const [name, pool] of Object.entries(pools)) {
    const value = pool[at % pool.length];
    if (value !== undefined) fields[name] = value;
    at = at * 7 + 3;
  }
  return { documentId: `d${String(n).padStart(3, '0')}`, fields };
});

const queries: readonly (readonly [string, ...JsonObject[string][]])[] = [
  ['TRUEPREDICATE'],
  ['FALSEPREDICATE'],
  ["owner == 'alice'"],
  ['owner == null'],
  ['owner != null'],
  ["owner IN {'alice', 'bob', null}"],
  ["owner ==[c] 'BOB'"],
  ["NOT owner == 'alice'"],
  ['n == 1'],
  ['n == $0', { $numberDecimal: '2.5' }],
  ["n == '1'"],
  ['n > 0'],
  ['n BETWEEN {0, 2.5}'],
  ['n IN {1, 9}'],
  ["tags == 'red'"],
  ["ANY tags == 'red' AND tags.@count > 1"],
  ["NONE tags == 'blue'"],
  ['at == $0', { $date: '2026-11-24T10:00:00.000Z' }],
  ['at < 2026-01-01@00:00:00'],
  ['ref == $0', { $oid: oids[0]! }],
  [`ref == '${oids[0]}'`],
  ["place.city == 'Köln'"],
  ['place.city == null'],
  ["owner == 'alice' AND n == 1"],
  ["owner == 'alice' OR n == 1"],
  ["owner == 'bob' AND (n > 1 OR tags CONTAINS 're')"],
  ["place.city BEGINSWITH 'K' AND owner IN {'alice', 'Bob'}"],
  ['owner IN {}'],
  ["owner == 'nobody'"],
];

export function documentCases(context: StoreContext): void {
  for (const indexes of [[], ['owner', 'n', 'tags', 'ref', 'at', 'place.city']]) {
    it(`finds what the compiled query matches, with ${indexes.length} indexes`, async () => {
      const store = await context.open({ collections: () => ({ indexes }) });
      await commit(store, documents);
      await reshuffle(store);
      await expectQueries(store);
    });
  }

  it('finds the same after indexes were declared, changed and dropped', async () => {
    let store = await context.open();
    await commit(store, documents);
    await reshuffle(store);
    for (const indexes of [['owner', 'n'], ['n', 'place.city'], []]) {
      store = await context.reopen(store, { collections: () => ({ indexes }) });
      await expectQueries(store);
      await reshuffle(store);
      await expectQueries(store);
    }
  });

  it('pages in the order of keys, without a double', async () => {
    const store = await context.open();
    const ids = ['b', 'a', 'aa', 'ab', 'B', '10', '9', 'a-', 'z'];
    await commit(
      store,
      ids.map((documentId) => ({ documentId, fields: {} })),
    );
    for (const limit of [1, 2, 3, 9, 10]) {
      expect(idsOf(await allDocuments(store, 'tasks', { limit }))).toEqual(ids.toSorted());
    }
    const first = await store.readDocuments({ collection: collectionName('tasks'), query: queryOf(''), limit: 4 });
    expect(first.documents).toHaveLength(4);
    expect(first.next).toBe('a');
  });

  it('says with the last page that it was the last', async () => {
    const store = await context.open();
    await commit(
      store,
      [1, 2, 3].map((n) => ({ documentId: `d${n}`, fields: {} })),
    );
    const read = { collection: collectionName('tasks'), query: queryOf('') };
    expect(await store.readDocuments({ ...read, limit: 3 })).toMatchObject({ next: undefined });
    expect(await store.readDocuments({ ...read, limit: 100 })).toMatchObject({ next: undefined });
    const nothing = await store.readDocuments({ ...read, collection: collectionName('nowhere'), limit: 3 });
    expect(nothing).toEqual({ documents: [], next: undefined });
  });

  it('ends a page early when its documents grow large', async () => {
    const store = await context.open();
    const text = 'x'.repeat(1024 * 1024);
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (const documentId of ids) await commit(store, [{ documentId, fields: { text } }]);
    const pages: number[] = [];
    const between = async (page: DocumentsPage) => void pages.push(page.documents.length);
    expect(idsOf(await allDocuments(store, 'tasks', { limit: 100, between }))).toEqual(ids);
    expect(pages.length).toBeGreaterThan(1);
  });

  it('continues after a key whose document is gone', async () => {
    const store = await context.open();
    await commit(
      store,
      ['a', 'b', 'c', 'd'].map((documentId) => ({ documentId, fields: {} })),
    );
    const read = { collection: collectionName('tasks'), query: queryOf(''), limit: 2 };
    const page = await store.readDocuments(read);
    await commit(store, [{ documentId: 'b', fields: null }]);
    expect(idsOf((await store.readDocuments({ ...read, after: page.next })).documents)).toEqual(['c', 'd']);
  });

  for (const indexes of [[], ['kind']]) {
    it(`misses nothing that stood throughout while others write, with ${indexes.length} indexes`, async () => {
      const store = await context.open({ collections: () => ({ indexes }) });
      const standing = Array.from({ length: 60 }, (_, n) => `d${String(n * 2).padStart(3, '0')}`);
      await commit(
        store,
        standing.map((documentId) => ({ documentId, fields: { kind: 'standing' } })),
      );
      let round = 0;
      const between = async () => {
        const at = round++;
        await commit(store, [
          { documentId: standing[(at * 11) % standing.length]!, fields: { kind: 'standing', round: at } },
          { documentId: `d${String(at * 2 + 1).padStart(3, '0')}`, fields: { kind: at % 2 ? 'standing' : 'other' } },
          { documentId: `d${String(200 - at)}`, fields: at % 2 ? null : { kind: 'standing' } },
        ]);
      };
      const query = queryOf("kind == 'standing'");
      const read = idsOf(await allDocuments(store, 'tasks', { query, limit: 4, between }));
      expect(read).toEqual(expect.arrayContaining(standing));
      expect(new Set(read).size).toBe(read.length);
      expect(round).toBeGreaterThan(10);
    });
  }

  it('shows only what is committed', async () => {
    const store = await context.open();
    const [write] = [{ documentId: 'a', fields: { n: 1 }, change: newChange() }];
    const request = {
      epoch: store.history.epochs[0]!.epoch,
      lanes: [laneOne],
      documents: [refOf('tasks', 'a')],
      changes: [write!.change],
    };
    let during: Promise<readonly Document[]> | undefined;
    await store.transact(request, (snapshot) => {
      during ??= store
        .readDocuments({ collection: collectionName('tasks'), query: queryOf(''), limit: 9 })
        .then((page) => page.documents);
      return { plan: planOf(request.epoch, [write!], snapshot), result: undefined };
    });
    const seen = await during!;
    expect(seen.length === 0 || seen[0]!.n === 1).toBe(true);
    expect(await allDocuments(store, 'tasks')).toHaveLength(1);
  });

  it('names the collections that hold something and that clients may name', async () => {
    const store = await context.open();
    expect(await store.collections()).toEqual([]);
    await commit(store, [
      { collection: 'zebras', documentId: 'a', fields: {} },
      { collection: 'apples', documentId: 'a', fields: {} },
      { collection: 'only.deleted', documentId: 'a', fields: null },
      { collection: 'tidemark_x', documentId: 'a', fields: {} },
      { collection: '_sync_x', documentId: 'a', fields: {} },
    ]);
    expect(await store.collections()).toEqual(['apples', 'only.deleted', 'zebras']);
  });

  it("reads a user's own documents, which have none of our fields", async () => {
    const store = await context.open({ collections: () => ({ indexes: ['n'] }) });
    const ref = refOf('things', 'own');
    await plant(context, store, { _id: 'own', n: 1, nested: { list: [1, 2] } });
    expect(await stateOf(store, ref)).toEqual({
      kind: 'document',
      document: { _id: 'own', n: 1, nested: { list: [1, 2] } },
    });
    const found = await allDocuments(store, 'things', { query: queryOf('n == 1') });
    expect(found).toEqual([{ _id: 'own', n: 1, nested: { list: [1, 2] } }]);
    expect(await store.collections()).toEqual(['things']);
    const [entry] = await commit(store, [{ collection: 'things', documentId: 'own', fields: { n: 2 } }]);
    expect(entry!.before).toEqual({ _id: 'own', n: 1, nested: { list: [1, 2] } });
    expect(await allDocuments(store, 'things', { query: queryOf('n == 1') })).toEqual([]);
  });
}

/** Changes and removes some documents, so that indexes have something to follow. */
async function reshuffle(store: Store): Promise<void> {
  const moved = documents.map(({ documentId }, n) => ({
    documentId,
    fields: documents[(n * 3 + 1) % documents.length]!.fields,
  }));
  await commit(
    store,
    moved.filter((_, n) => n % 3 === 0),
  );
  await commit(
    store,
    moved.filter((_, n) => n % 7 === 0).map(({ documentId }) => ({ documentId, fields: null })),
  );
}

async function expectQueries(store: Store): Promise<void> {
  const all = await allDocuments(store, 'tasks', { limit: 50 });
  expect(all.length).toBeGreaterThan(100);
  for (const [text, ...args] of queries) {
    const query = queryOf(text, args);
    const expected = idsOf(all.filter(compile(query)));
    const found = idsOf(await allDocuments(store, 'tasks', { query, limit: 9 }));
    expect({ text, found }).toEqual({ text, found: expected });
  }
}

/** Where nothing else can write, a state without an entry does. */
async function plant(
  context: StoreContext,
  store: Store,
  document: JsonObject & { readonly _id: string },
): Promise<void> {
  const { plant: planted } = context.bed();
  if (planted) return planted('things', document);
  const ref = refOf('things', document._id);
  const request = { epoch: store.history.epochs[0]!.epoch, lanes: [laneOne], documents: [ref], changes: [] };
  await store.transact(request, () => ({
    plan: { entries: [], states: [{ ref, state: { kind: 'document', document } }], superseded: [] },
    result: undefined,
  }));
}
