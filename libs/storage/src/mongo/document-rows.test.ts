import { describe, expect, it } from '@jest/globals';
import { brandAs, type Document, type Json, type UserId } from '@tidemark/protocol';
import { Long, ObjectId } from 'mongodb';
import type { StoredDocument } from '../port.ts';
import { type DocumentRow, documentChange, documentRow, readDocumentRow } from './document-rows.ts';

const ada = brandAs<UserId>('ada');
const state = (document: Record<string, Json>, rest: Partial<StoredDocument> = {}): StoredDocument => ({
  kind: 'document',
  document: { _id: 'a', ...document } as unknown as Document,
  ...rest,
});
const versions = { title: { timestamp: 5, author: ada }, done: { timestamp: 6, author: undefined } };

describe('the row of a document', () => {
  it('holds the document and the versions of its fields', () => {
    const stored = state(
      { n: 1, sync_updated_at: 5, _updated_by: 'ada', sync_version: 2 },
      { fieldVersions: versions },
    );
    const row = documentRow(stored);
    expect(row).toMatchObject({ _id: 'a', n: 1, _sync_fields: { title: [5, 'ada'], done: [6] } });
    expect(readDocumentRow(row)).toEqual(stored);
  });

  it('shows nothing that is internal', () => {
    const row = { _id: 'a', n: 1, _sync_other: 'x', _sync_fields: { n: [1] } } as unknown as DocumentRow;
    expect(readDocumentRow(row)).toEqual({
      ...state({ n: 1 }),
      fieldVersions: { n: { timestamp: 1, author: undefined } },
    });
  });

  it.each<[unknown]>([[5], [true], [null], [{ a: 1 }], [[1]], [''], ['x'.repeat(600)], [new Date()]])(
    'with the id %j is none that clients can name',
    (id) => {
      expect(readDocumentRow({ _id: id } as DocumentRow)).toBeUndefined();
    },
  );

  it('does not take the metadata of others for ours', () => {
    const row = { _id: 'a', sync_updated_at: 'yesterday', _updated_by: new ObjectId(), sync_version: [1] };
    expect(readDocumentRow(row)).toEqual(state({}));
    const dated = { _id: 'a', sync_updated_at: new Date(1_700_000_000_000), sync_version: Number.NaN };
    expect(readDocumentRow(dated)).toEqual(state({ sync_updated_at: 1_700_000_000_000 }));
  });
});

describe('a change of a row', () => {
  it('names what differs and nothing else, so that the rest keeps its types', () => {
    const row = { _id: 'a', count: Long.fromNumber(5), when: new Date(0), old: 1, same: { deep: [1, { x: null }] } };
    const stored = readDocumentRow(row)!;
    const next = state({ ...stored.document, when: { $date: '2026-01-01T00:00:00.000Z' }, title: 'x' } as never);
    const { old: _, ...rest } = next.document;
    expect(documentChange(stored, { ...next, document: rest as unknown as Document })).toEqual({
      $set: { when: new Date('2026-01-01T00:00:00.000Z'), title: 'x' },
      $unset: { old: true },
    });
  });

  it('is empty when nothing differs', () => {
    expect(documentChange(state({ n: [1, { a: 1 }] }), state({ n: [1, { a: 1 }] }))).toEqual({});
  });

  it.each<[Json, Json]>([
    [0, -0],
    [1, '1'],
    [null, false],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], { 0: 1 }],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ $oid: '5f1d3a2b4c5d6e7f80912345' }, '5f1d3a2b4c5d6e7f80912345'],
  ])('tells %j from %j', (before, after) => {
    expect(documentChange(state({ n: before }), state({ n: after }))).toHaveProperty('$set');
  });

  it('keeps and removes the versions of fields', () => {
    const merged = state({ n: 1 }, { fieldVersions: versions });
    expect(documentChange(state({ n: 1 }), merged)).toEqual({
      $set: { _sync_fields: { title: [5, 'ada'], done: [6] } },
    });
    expect(documentChange(merged, state({ n: 1 }))).toEqual({ $unset: { _sync_fields: true } });
  });

  it.each(['a.b', '$a', ''])('cannot be said in operators when the field %j goes', (name) => {
    expect(documentChange(state({ [name]: 1, n: 1 }), state({ n: 1 }))).toBeUndefined();
    expect(documentChange(state({ [name]: 1, n: 1 }), state({ [name]: 1, n: 2 }))).toEqual({ $set: { n: 2 } });
  });
});
