import { describe, expect, it } from '@jest/globals';
import { brandAs, type CollectionName, type DocumentKey, type Seq } from '@tidemark/protocol';
import { bindQuery, parseQuery } from '@tidemark/rql';
import { Binary, Decimal128, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import type { Store, StoredState } from '../port.ts';
import { commit, epoch1, lane0, refOf } from './testing/sample-plans.ts';
import { useTestBed } from './testing/test-bed.ts';

const bed = useTestBed();
const notes = brandAs<CollectionName>('notes');
const hex = '5f1d3a2b4c5d6e7f80912345';

async function read(store: Store, text = '', limit = 100): Promise<Record<string, unknown>[]> {
  const documents: Record<string, unknown>[] = [];
  let after: DocumentKey | undefined;
  do {
    const page = await store.readDocuments({ collection: notes, query: bindQuery(parseQuery(text)), after, limit });
    documents.push(...page.documents);
    after = page.next;
  } while (after !== undefined);
  return documents;
}

describe("a database that holds a user's documents", () => {
  it('shows them without metadata, as the oldest there are', async () => {
    await bed()
      .db.collection('notes')
      .insertOne({ _id: new ObjectId(hex), n: 1 });
    const store = await bed().open();
    const id = { $oid: hex };
    let seen: StoredState | undefined;
    await commit(store, [{ id, fields: { n: 2 }, change: '1' }], {
      look: (snapshot) => {
        seen = snapshot.state(refOf({ id }));
      },
    });
    expect(seen).toEqual({ kind: 'document', document: { _id: id, n: 1 } });
    const [entry] = await store.readLog({ epoch: epoch1, lane: lane0, after: brandAs<Seq>(0), limit: 1 });
    expect(entry).toMatchObject({ operation: 'update', before: { _id: id, n: 1 }, after: { _id: id, n: 2 } });
  });

  it('keeps the types of fields that a change does not mention', async () => {
    const row = {
      _id: 'a' as unknown as ObjectId,
      long: Long.fromNumber(5),
      decimal: Decimal128.fromString('5'),
      time: new Timestamp({ t: 1, i: 2 }),
      expression: /x/i,
      'a.b': 1,
      $odd: 2,
      legacy: new Binary(Buffer.alloc(16), 3),
      n: 1,
    };
    await bed().db.collection('notes').insertOne(row);
    const store = await bed().open();
    await commit(store, [{ id: 'a', fields: { n: { $numberLong: '6' } }, change: '1' }]);
    const raw = { promoteValues: false } as const;
    const after = await bed().db.collection('notes').findOne({}, raw);
    expect(after).toMatchObject({
      long: Long.fromNumber(5),
      decimal: row.decimal,
      time: row.time,
      n: Long.fromNumber(6),
    });
    expect(after).toMatchObject({
      'a.b': expect.objectContaining({ value: 1 }),
      $odd: expect.objectContaining({ value: 2 }),
    });
    expect(await read(store)).toMatchObject([{ expression: { $regularExpression: { pattern: 'x', options: 'i' } } }]);
  });

  it('leaves documents alone whose ids clients cannot name', async () => {
    const ids = [
      5,
      true,
      { a: 1 },
      new Date(0),
      new Binary(Buffer.from([1])),
      '',
      'x'.repeat(600),
      Decimal128.fromString('1'),
    ];
    await bed()
      .db.collection('notes')
      .insertMany(ids.map((_id) => ({ _id: _id as unknown as ObjectId })));
    await bed()
      .db.collection('notes')
      .insertOne({ _id: 'named' as unknown as ObjectId });
    const store = await bed().open();
    expect(await read(store, '', 2)).toEqual([{ _id: 'named' }]);
    expect(await bed().db.collection('notes').countDocuments()).toBe(ids.length + 1);
  });

  it('pages past ids that no client can name', async () => {
    const ids = ['a', ...Array.from({ length: 5 }, (_, n) => 'b'.repeat(600 + n)), 'c', 'd\u0000', 'e'];
    await bed()
      .db.collection<{ _id: string }>('notes')
      .insertMany(ids.map((_id) => ({ _id })));
    const store = await bed().open();
    for (const limit of [1, 2, 3, 9]) {
      expect((await read(store, '', limit)).map(({ _id }) => _id)).toEqual(['a', 'c', 'e']);
    }
  });

  it('pages through all types of ids in one order', async () => {
    const ids = [
      'b',
      'a',
      '\u{1f600}',
      '\ufffd',
      'é',
      new ObjectId(hex),
      new ObjectId(),
      new UUID(),
      new UUID(),
      'Z',
      '0',
    ];
    await bed()
      .db.collection('notes')
      .insertMany(ids.map((_id) => ({ _id: _id as unknown as ObjectId })));
    const store = await bed().open();
    const whole = (await read(store)).map(({ _id }) => _id);
    expect(whole).toHaveLength(ids.length);
    for (const limit of [1, 2, 3, 5, 11]) expect((await read(store, '', limit)).map(({ _id }) => _id)).toEqual(whole);
    expect(whole.slice(4)).toEqual(['0', 'Z', 'a', 'b', 'é', '\ufffd', '\u{1f600}']);
  });

  it('compares texts by code point where the collection has a collation of its own', async () => {
    await bed().db.createCollection('notes', { collation: { locale: 'en', strength: 1 } });
    await bed()
      .db.collection<{ _id: string; t: string }>('notes')
      .insertMany([
        { _id: '1', t: 'A' },
        { _id: '2', t: 'a' },
      ]);
    const store = await bed().open();
    expect(await read(store, "t == 'a'")).toEqual([{ _id: '2', t: 'a' }]);
  });

  it('does not write one document in place of another that the collation takes for it', async () => {
    await bed().db.createCollection('notes', { collation: { locale: 'en', strength: 1 } });
    await bed().db.collection<{ _id: string; t: string }>('notes').insertOne({ _id: 'A', t: 'mine' });
    const store = await bed().open();
    await commit(store, [{ id: 'a', fields: { t: 'other' }, change: '1' }]).catch((error) => {
      expect(error).toMatchObject({ kind: 'duplicate_key' });
    });
    expect(
      await bed()
        .db.collection<{ _id: string }>('notes')
        .findOne({ _id: 'A' }, { collation: { locale: 'simple' } }),
    ).toEqual({
      _id: 'A',
      t: 'mine',
    });
  });

  it('does not name views, nor collections of ours and of MongoDB', async () => {
    await bed().db.createCollection('notes');
    await bed().db.createCollection('seen', { viewOn: 'notes', pipeline: [] });
    await bed().db.createCollection('_sync_old');
    const store = await bed().open();
    expect(await store.collections()).toEqual(['notes']);
  });
});

describe('indexes', () => {
  const names = async (collection: string) => (await bed().db.collection(collection).indexes()).map(({ name }) => name);
  const settings = { collections: () => ({ indexes: ['owner', 'place.city'] }) };

  it('are made for collections that are there, and for those that come', async () => {
    await bed().db.collection('notes').insertOne({ owner: 'ada' });
    const store = await bed().open(settings);
    await commit(store, [{ collection: 'fresh', id: 'a', fields: { owner: 'ada' }, change: '1' }]);
    for (const collection of ['notes', 'fresh']) {
      while ((await names(collection)).length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await names(collection)).toEqual(expect.arrayContaining(['tidemark_owner', 'tidemark_place.city']));
    }
  });

  it('are found by the look-ups of a transaction', async () => {
    await bed().open();
    expect(await names('tidemark_log')).toContain('tidemark_change');
    expect(await names('tidemark_tombstones')).toEqual(
      expect.arrayContaining(['tidemark_collection', 'tidemark_entry']),
    );
  });

  it('that the user has made already are enough', async () => {
    await bed().db.collection('notes').createIndex({ owner: 1, _id: 1 });
    const store = await bed().open(settings);
    await commit(store, [{ id: 'a', fields: { owner: 'ada' }, change: '1' }]);
    expect(await read(store, "owner == 'ada'")).toHaveLength(1);
  });
});

describe('a change that the database refuses', () => {
  it('because of a unique index is a duplicate', async () => {
    await bed().db.collection('notes').createIndex({ email: 1 }, { unique: true, sparse: true });
    const store = await bed().open();
    await commit(store, [{ id: 'a', fields: { email: 'x' }, change: '1' }]);
    const second = commit(store, [
      { id: 'c', fields: { n: 1 }, change: '3' },
      { id: 'b', fields: { email: 'x' }, change: '2' },
    ]);
    await expect(second).rejects.toMatchObject({ kind: 'duplicate_key', message: expect.stringContaining('email_1') });
    await expect(second).rejects.toHaveProperty('cause');
    expect((await read(store)).map(({ _id }) => _id)).toEqual(['a']);
    expect(await commit(store, [{ id: 'b', fields: { email: 'y' }, change: '2' }])).toBe(2);
  });

  it('because of a validator is invalid', async () => {
    await bed().db.createCollection('notes', { validator: { $jsonSchema: { required: ['title'] } } });
    const store = await bed().open();
    const refused = commit(store, [{ id: 'a', fields: { n: 1 }, change: '1' }]);
    await expect(refused).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('validator') });
    expect(await commit(store, [{ id: 'a', fields: { title: 'x' }, change: '1' }])).toBe(1);
  });

  it('because it writes a view is invalid', async () => {
    await bed().db.createCollection('seen', { viewOn: 'notes', pipeline: [] });
    const store = await bed().open();
    await expect(commit(store, [{ collection: 'seen', id: 'a', fields: {}, change: '1' }])).rejects.toMatchObject({
      kind: 'invalid',
    });
  });

  it('because the document has grown too large is too large', async () => {
    const store = await bed().open();
    const text = (megabytes: number) => 'x'.repeat(megabytes * 1_000_000);
    await commit(store, [{ id: 'a', fields: { first: text(4) }, change: '1' }]);
    const grown = commit(store, [{ id: 'a', fields: { second: text(6), third: text(7) }, change: '2' }]);
    await expect(grown).rejects.toMatchObject({ kind: 'too_large' });
  });

  it('because it cannot be stored is invalid', async () => {
    const store = await bed().open();
    const fields = { when: { $date: { $numberLong: '9000000000000000' } } };
    await expect(commit(store, [{ id: 'a', fields, change: '1' }])).rejects.toMatchObject({ kind: 'invalid' });
  });
});

describe('the log', () => {
  it('keeps the values of an update once, and gives them back', async () => {
    const store = await bed().open();
    await commit(store, [{ id: 'a', fields: { n: 1 }, change: '1' }]);
    await commit(store, [
      { id: 'a', fields: { n: { $numberDecimal: '1.50' }, at: { $date: '2026-01-01T00:00:00.000Z' } }, change: '2' },
    ]);
    const row = await bed().db.collection('tidemark_log').findOne({ seq: 2 });
    expect(row).toMatchObject({ fields: ['n', 'at'], after: { n: Decimal128.fromString('1.50') } });
    expect(row).not.toHaveProperty('data');
    const [entry] = await store.readLog({ epoch: epoch1, lane: lane0, after: brandAs<Seq>(1), limit: 1 });
    expect(entry?.data).toEqual({ n: { $numberDecimal: '1.50' }, at: { $date: '2026-01-01T00:00:00.000Z' } });
  });

  it('from which somebody has removed entries is trimmed, not shown with a gap', async () => {
    const store = await bed().open();
    for (const change of ['1', '2', '3', '4']) await commit(store, [{ id: 'a', fields: {}, change }]);
    await bed().db.collection('tidemark_log').deleteOne({ seq: 3 });
    const readAfter = (after: number) =>
      store.readLog({ epoch: epoch1, lane: lane0, after: brandAs<Seq>(after), limit: 9 });
    expect((await readAfter(0)).map(({ seq }) => seq)).toEqual([1, 2]);
    await expect(readAfter(2)).rejects.toMatchObject({ kind: 'trimmed' });
    expect((await readAfter(3)).map(({ seq }) => seq)).toEqual([4]);
  });
});

it('refuses a database of a newer version', async () => {
  await (await bed().open()).close();
  await bed()
    .db.collection<{ _id: string }>('tidemark_meta')
    .updateOne({ _id: 'history' }, { $set: { format: 99 } });
  await expect(bed().open()).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('newer version'),
  });
});

it.each([0, 1.5, 2_000])('refuses %d lanes', async (lanes) => {
  await expect(bed().open({ lanes })).rejects.toMatchObject({ kind: 'invalid' });
});
