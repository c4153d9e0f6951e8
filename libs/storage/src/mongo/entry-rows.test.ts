import { describe, expect, it } from '@jest/globals';
import {
  brandAs,
  type ChangeId,
  type CollectionName,
  type Document,
  documentKey,
  type Entry,
  type Json,
  type Lane,
  type Seq,
  type SocketId,
  type UserId,
} from '@tidemark/protocol';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import type { EntryRow, LogRow } from './database.ts';
import { changeKey, entryRow, readEntryRow, readOutcomeRow, supersededRow } from './entry-rows.ts';
import { epoch1 } from './testing/sample-plans.ts';

const author = brandAs<UserId>('ada');
const seq = brandAs<Seq>(7);
const entryOf = (images: Partial<Entry>): Entry => ({
  ...{ epoch: epoch1, lane: brandAs<Lane>(3), seq, author, id: brandAs<ChangeId>('c'), operation: 'update' },
  ...{ collection: brandAs<CollectionName>('notes'), documentId: 'a', key: documentKey('a') },
  ...{ before: null, after: null, timestamp: 5, committedAt: 6 },
  ...images,
});
const document = (fields: Record<string, Json>) => ({ _id: 'a', ...fields }) as unknown as Document;
const stored = (row: EntryRow) => BSON.deserialize(BSON.serialize(row), { bsonRegExp: true }) as LogRow;

describe('the row of an entry', () => {
  it('gives both images back, whatever changed', () => {
    const value = fc.constantFrom<Json>(null, 1, 'x', [1], { deep: 1 }, { $oid: '5f1d3a2b4c5d6e7f80912345' });
    const fields = fc.dictionary(fc.constantFrom('a.b', '$odd', 'n', 'm', 'toString', ''), value);
    const image = fc.option(fields.map(document));
    fc.assert(
      fc.property(image, image, (before, after) => {
        const entry = entryOf({ before, after });
        expect(readEntryRow(stored(entryRow(entry)))).toEqual(entry);
      }),
    );
  });

  it('keeps of the image before only what differs', () => {
    const before = document({ big: 'x'.repeat(1_000), n: 1, gone: true });
    const after = document({ big: 'x'.repeat(1_000), n: 2, fresh: [] });
    const row = entryRow(entryOf({ before, after }));
    expect(row.undo).toEqual({ changed: { n: 1, gone: true }, added: ['fresh'] });
    expect(BSON.calculateObjectSize(row)).toBeLessThan(1_500);
  });

  it('keeps the fields of an update by name where the image has their values', () => {
    const after = document({ n: 2, m: { $date: '2026-01-01T00:00:00.000Z' } });
    const same = entryOf({ after, data: { n: 2 }, unset: ['x'] });
    expect(entryRow(same)).toMatchObject({ fields: ['n'], unset: ['x'] });
    const other = entryOf({ after, data: { n: 3 } });
    expect(entryRow(other)).toMatchObject({ data: { n: 3 } });
    for (const entry of [same, other]) expect(readEntryRow(stored(entryRow(entry)))).toEqual(entry);
  });

  it('keeps where it came from and whom it goes to', () => {
    const entry = entryOf({
      origin: brandAs<SocketId>('s'),
      emitTo: [author],
      operation: 'delete',
      before: document({}),
    });
    expect(readEntryRow(stored(entryRow(entry)))).toEqual(entry);
  });
});

describe('the row of an outcome', () => {
  it('of an entry is where the entry stands', () => {
    const { collection, documentId, timestamp, committedAt, id, lane } = entryOf({});
    const outcome = { author, id, collection, documentId, timestamp, committedAt };
    expect(readOutcomeRow(entryRow(entryOf({})))).toEqual({ ...outcome, kind: 'applied', lane, seq });
    expect(readOutcomeRow(supersededRow({ ...outcome, kind: 'superseded' }))).toEqual({
      ...outcome,
      kind: 'superseded',
    });
    expect(readEntryRow(supersededRow({ ...outcome, kind: 'superseded' }))).toBeUndefined();
  });

  it('is found by author and id, however they are cut', () => {
    const texts = ['', 'a', '1', ':', '1:', 'a1', '\u0000'];
    const keys = texts.flatMap((a) =>
      texts.map((b) => changeKey({ author: brandAs<UserId>(a), id: brandAs<ChangeId>(b) })),
    );
    expect(new Set(keys).size).toBe(texts.length ** 2);
  });
});
