import { expect, it } from '@jest/globals';
import { brandAs, type DocumentId, type JsonObject, type SocketId, type UserId } from '@tidemark/protocol';
import { allDocuments, idsOf } from './pages.ts';
import type { StoreContext } from './store-rig.ts';
import { commit, logOf, look, newChange, refOf, seq, stateOf } from './writes.ts';

const hex = '5f1d3a2b4c5d6e7f80912345';
const uuid = '6f9619ff-8b86-4011-b42d-00cf4fc964ff';

/** Ids that must not be taken for one another. */
const lookAlikes: readonly DocumentId[] = [
  { $oid: hex },
  hex,
  hex.toUpperCase(),
  `{"$oid":"${hex}"}`,
  { $uuid: uuid },
  uuid,
  uuid.toUpperCase(),
  `ObjectId("${hex}")`,
  '1',
  '01',
  '1.0',
  'true',
  'null',
];

const awkwardIds: readonly string[] = [
  'a',
  'ab',
  'a b',
  'a.b',
  'a/b',
  'a!',
  'a~',
  'a\u0001',
  'a\u001f',
  'A',
  ' ',
  '.',
  '$a',
  'é',
  'e\u0301',
  '日本',
  '\u{1f600}',
  '\u{1f600}\u{1f600}',
  '\ue000',
  '\ufffd',
  '\uffff',
  'x'.repeat(512),
  '日'.repeat(170),
  '__proto__',
  'constructor',
];

const values: JsonObject = {
  nothing: null,
  yes: true,
  no: false,
  text: 'text',
  empty: '',
  unicode: 'Grüße 日本 \u{1f600} \u2028 "quoted" \\ \n \t',
  control: '\u0001\u001f',
  integers: [0, 1, -1, 2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  fractions: [0.1, -0.1, 1e300, 1e-300, 5e-324, Number.MAX_VALUE],
  numberTexts: ['1', '1.0', '007', '1e3', 'NaN', 'Infinity'],
  oid: { $oid: hex },
  oidText: hex,
  oidJson: `{"$oid":"${hex}"}`,
  uuid: { $uuid: uuid },
  uuidText: uuid,
  date: { $date: '2026-11-24T10:00:00.123Z' },
  dateText: '2026-11-24T10:00:00.123Z',
  decimal: { $numberDecimal: '12.50' },
  long: { $numberLong: '9007199254740993' },
  binary: { $binary: { base64: 'AQIDBA==', subType: '00' } },
  list: [1, 'two', { three: 3 }, [4, [5]], null, []],
  embedded: { a: { b: { c: { oid: { $oid: hex }, list: [{ $date: '1969-12-31T23:59:59.999Z' }] } } }, empty: {} },
  'a field with blanks': 1,
  Ünïcode: 2,
  toString: 3,
  constructor: 4,
};

/** Extended JSON that says the same in another way than `values`. */
const otherForms: JsonObject = {
  seconds: { $date: '2026-11-24T10:00:00Z' },
  zone: { $date: '2026-11-24T11:00:00.5+01:00' },
  day: { $date: '2026-11-24' },
  millis: { $date: -5 },
  canonicalDate: { $date: { $numberLong: '1000' } },
  long: { $numberLong: '5' },
  int: { $numberInt: '3' },
  double: { $numberDouble: '2.0' },
  notANumber: { $numberDouble: 'NaN' },
  oid: { $oid: hex.toUpperCase() },
  uuid: { $uuid: uuid.toUpperCase() },
  binaryUuid: { $binary: { base64: 'AAECAwQFBgcICQoLDA0ODw==', subType: '04' } },
  decimal: { $numberDecimal: '+1.10e1' },
  deep: [{ list: [{ $date: 0 }] }],
};

export function valueCases(context: StoreContext): void {
  it('keeps typed ids and strings that look like them apart', async () => {
    const store = await context.open();
    await commit(
      store,
      lookAlikes.map((documentId, n) => ({ documentId, fields: { n } })),
    );
    const refs = lookAlikes.map((documentId) => refOf('tasks', documentId));
    const states = await look(store, { documents: refs }, (snapshot) => refs.map((ref) => snapshot.state(ref)));
    expect(states).toEqual(
      lookAlikes.map((documentId, n) => ({
        kind: 'document',
        document: expect.objectContaining({ _id: documentId, n }),
      })),
    );
    const read = idsOf(await allDocuments(store, 'tasks'));
    expect(read).toHaveLength(lookAlikes.length);
    expect(read).toEqual(expect.arrayContaining([...lookAlikes]));
    expect((await logOf(store)).map(({ documentId }) => documentId)).toEqual(lookAlikes);
  });

  it('stores ids of any text, each for itself', async () => {
    const store = await context.open();
    await commit(
      store,
      awkwardIds.map((documentId, n) => ({ documentId, fields: { n } })),
    );
    const gone = new Set(awkwardIds.filter((_, n) => n % 3 === 0));
    await commit(
      store,
      [...gone].map((documentId) => ({ documentId, fields: null })),
    );
    const kept = awkwardIds.filter((id) => !gone.has(id));
    const read = await allDocuments(store, 'tasks', { limit: 2 });
    expect(idsOf(read).toSorted()).toEqual(kept.toSorted());
    for (const document of read) expect(document.n).toBe(awkwardIds.indexOf(String(document._id)));
  });

  it('keeps collections apart whose names begin alike', async () => {
    const store = await context.open();
    const names = ['c', 'c.a', 'c a', 'ca', 'C', 'cé', 'c\u{1f600}', 'd'];
    await commit(
      store,
      names.map((collection) => ({ collection, documentId: 'same', fields: { of: collection } })),
    );
    for (const collection of names) {
      expect(await allDocuments(store, collection)).toEqual([expect.objectContaining({ _id: 'same', of: collection })]);
    }
    expect((await store.collections()).toSorted()).toEqual(names.toSorted());
  });

  it('gives values back as they came, in documents and in both images of entries', async () => {
    const store = await context.open();
    await commit(store, [{ documentId: 'a', fields: values }]);
    await commit(store, [{ documentId: 'a', fields: { after: values } }]);
    await commit(store, [{ documentId: 'b', fields: values }]);
    const state = await stateOf(store, refOf('tasks', 'b'));
    expect(state).toEqual({ kind: 'document', document: { ...values, ...metadata('b', 3) } });
    expect(await allDocuments(store, 'tasks')).toEqual([
      { after: values, ...metadata('a', 2) },
      { ...values, ...metadata('b', 3) },
    ]);
    const [first, second] = await logOf(store);
    expect(first!.after).toEqual({ ...values, ...metadata('a', 1) });
    expect(second!.before).toEqual(first!.after);
    expect(second!.after).toEqual({ after: values, ...metadata('a', 2) });
  });

  it('tells before in which form it will give values back', async () => {
    const store = await context.open();
    expect(store.canonical(values)).toEqual(values);
    const plain = { n: 1, list: [{ text: 'x' }], nothing: null };
    expect(store.canonical(plain)).toBe(plain);
    const given = store.canonical(otherForms);
    expect(store.canonical(given)).toEqual(given);
    await commit(store, [{ documentId: 'a', fields: otherForms }]);
    expect(await allDocuments(store, 'tasks')).toEqual([{ ...given, ...metadata('a', 1) }]);
    expect((await logOf(store))[0]!.after).toEqual({ ...given, ...metadata('a', 1) });
  });

  it('gives every part of an entry back', async () => {
    const store = await context.open();
    const documentId = { $oid: hex };
    const [inserted] = await commit(store, [{ documentId, fields: { old: 1, n: 0 } }]);
    const change = newChange('bob');
    const ref = refOf('tasks', documentId);
    const request = { epoch: inserted!.epoch, lanes: [inserted!.lane], documents: [ref], changes: [change] };
    const update = await store.transact(request, (snapshot) => {
      const document = { n: values, ...metadata(documentId, 2) };
      const entry = {
        ...inserted!,
        ...change,
        origin: brandAs<SocketId>('socket-7'),
        seq: seq(2),
        operation: 'update' as const,
        data: { n: values },
        unset: ['old'],
        before: inserted!.after,
        after: document,
        timestamp: 0,
        committedAt: 1_700_000_000_123,
        emitTo: [brandAs<UserId>('carol'), brandAs<UserId>('dave')],
      };
      expect(snapshot.state(ref)).toEqual({ kind: 'document', document: inserted!.after });
      return {
        plan: { entries: [entry], states: [{ ref, state: { kind: 'document', document } }], superseded: [] },
        result: entry,
      };
    });
    expect(await logOf(store)).toEqual([inserted, update]);
  });

  it('stores documents of a megabyte', async () => {
    const store = await context.open();
    const text = 'Ω'.repeat(500_000);
    await commit(store, [{ documentId: 'big', fields: { text, list: Array.from({ length: 10_000 }, (_, n) => n) } }]);
    await commit(store, [{ documentId: 'big', fields: { text, more: text } }]);
    const [document] = await allDocuments(store, 'tasks');
    expect(document).toEqual({ text, more: text, ...metadata('big', 2) });
    expect((await logOf(store)).map(({ after }) => after?.text === text)).toEqual([true, true]);
  });
}

const metadata = (_id: DocumentId, sync_version: number) => ({
  _id,
  sync_updated_at: 1000,
  _updated_by: brandAs<UserId>('alice'),
  sync_version,
});
