import { describe, expect, it } from '@jest/globals';
import { brandAs, type Document, type Entry, type SocketId, type UserId } from '@tidemark/protocol';
import { changeOf, collectionName, epoch, lane, seq } from '../conformance/writes.ts';
import type { RecordedOutcome, StoredState } from '../port.ts';
import {
  DocumentTexts,
  decodeApplied,
  decodeDocument,
  decodeEntry,
  decodeState,
  decodeSuperseded,
  encodeApplied,
  encodeEntry,
  encodeState,
  encodeSuperseded,
  isTombstoneRow,
} from './rows.ts';

const document: Document = { _id: 'a', text: 'first\nsecond ! [', list: [1, { $oid: '5f1d3a2b4c5d6e7f80912345' }] };
const author = brandAs<UserId>('alice');

describe('states', () => {
  const states: readonly StoredState[] = [
    { kind: 'document', document },
    { kind: 'document', document, fieldVersions: { text: { timestamp: 1, author }, 'a\nb': { timestamp: 2, author } } },
    { kind: 'document', document, fieldVersions: {} },
    { kind: 'tombstone', timestamp: 1, author, seq: seq(2), deletedAt: 3 },
  ];

  it('are read back as they were', () => {
    for (const state of states) {
      const row = encodeState(state, new DocumentTexts());
      expect(decodeState(row, new DocumentTexts())).toEqual(state);
      expect(isTombstoneRow(row)).toBe(state.kind === 'tombstone');
      if (state.kind === 'document') expect(decodeDocument(row)).toEqual(document);
    }
  });

  it('are refused when they are larger than MongoDB takes', () => {
    const huge: Document = { _id: 'a', text: 'x'.repeat(16 * 1024 * 1024) };
    expect(() => encodeState({ kind: 'document', document: huge }, new DocumentTexts())).toThrow('larger than 16 MiB');
  });
});

describe('entries', () => {
  const whole: Entry = {
    epoch: epoch(1),
    lane: lane(2),
    seq: seq(3),
    ...changeOf('alice', 'one'),
    origin: brandAs<SocketId>('socket'),
    operation: 'update',
    collection: collectionName('tasks'),
    documentId: 'a',
    key: brandAs<Entry['key']>('a'),
    data: { list: [] },
    unset: ['gone'],
    before: document,
    after: { ...document, list: [] },
    timestamp: 0,
    committedAt: 5,
    emitTo: [author],
  };
  const { origin, data, unset, emitTo, ...bare } = whole;

  it('are read back as they were, with nothing more and nothing less', () => {
    for (const entry of [
      whole,
      bare,
      { ...bare, before: null },
      { ...bare, after: null, operation: 'delete' as const },
    ]) {
      const decoded = decodeEntry(encodeEntry(entry, new DocumentTexts()), entry);
      expect(decoded).toEqual(entry);
      expect(Object.keys(decoded).toSorted()).toEqual(Object.keys(entry).toSorted());
    }
    expect([origin, data, unset, emitTo]).not.toContain(undefined);
  });

  it('keep empty lists', () => {
    const entry = { ...whole, unset: [], emitTo: [], data: {} };
    expect(decodeEntry(encodeEntry(entry, new DocumentTexts()), entry)).toEqual(entry);
  });

  it('take the text of a document that was read from its row', () => {
    const texts = new DocumentTexts();
    const state = decodeState('{"_id":"a",  "n":1}', texts);
    const before = state.kind === 'document' ? state.document : null;
    expect(encodeEntry({ ...whole, before }, texts)).toContain('{"_id":"a",  "n":1}');
  });
});

describe('outcomes', () => {
  it('of applied changes are where the entry stands', () => {
    const place = { epoch: epoch(2), lane: lane(31), seq: seq(4_000_000_000) };
    expect(decodeApplied(encodeApplied(place))).toEqual(place);
  });

  it('of superseded changes are whole', () => {
    const ref = changeOf('alice', 'late');
    const outcome: RecordedOutcome = {
      kind: 'superseded',
      ...ref,
      collection: collectionName('tasks'),
      documentId: { $oid: '5f1d3a2b4c5d6e7f80912345' },
      timestamp: 1,
      committedAt: 2,
    };
    const row = encodeSuperseded(outcome);
    expect(decodeApplied(row)).toBeUndefined();
    expect(decodeSuperseded(row, ref)).toEqual(outcome);
  });
});
