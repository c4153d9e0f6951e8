import { describe, expect, it } from '@jest/globals';
import { brandAs, type Document, type DocumentKey } from '@tidemark/protocol/core';
import { withOverlay } from './overlay.ts';
import type { OutboxEntry } from './records.ts';

const truth = { _id: 'a', title: 'truth', n: 1, sync_version: 4 } as Document;

function entry(operation: OutboxEntry['operation'], fields: Partial<OutboxEntry> = {}): OutboxEntry {
  const place = { collection: 'tasks', documentId: 'a', key: brandAs<DocumentKey>('a') };
  return { id: 'e', operation, ...place, data: {}, unset: [], timestamp: 1, stage: 'accepted', bytes: 1, ...fields };
}

describe('withOverlay', () => {
  it('is the truth itself when there is nothing on top', () => {
    expect(withOverlay(truth, [])).toBe(truth);
    expect(withOverlay(undefined, [])).toBeUndefined();
  });

  it('merges updates in order, and takes fields out', () => {
    const entries = [
      entry('update', { data: { n: 2, x: null } }),
      entry('update', { data: { n: 3 }, unset: ['title'] }),
    ];
    expect(withOverlay(truth, entries)).toEqual({ _id: 'a', n: 3, x: null, sync_version: 4 });
    expect(truth.title).toBe('truth');
  });

  it('creates what an update does not find', () => {
    expect(withOverlay(undefined, [entry('update', { data: { n: 2 } })])).toEqual({ _id: 'a', n: 2 });
  });

  it('replaces on insert, and removes on delete', () => {
    expect(withOverlay(truth, [entry('insert', { data: { n: 9 } })])).toEqual({ _id: 'a', n: 9 });
    expect(withOverlay(truth, [entry('delete')])).toBeUndefined();
    expect(withOverlay(truth, [entry('delete'), entry('insert', { data: { n: 9 } })])).toEqual({ _id: 'a', n: 9 });
  });

  it('leaves deleted what an update comes after, as the server will', () => {
    expect(withOverlay(truth, [entry('delete'), entry('update', { data: { n: 2 } })])).toBeUndefined();
  });

  it('counts a delete that lost only while nothing comes after it', () => {
    const lost = entry('delete', { stage: 'lost' });
    expect(withOverlay(truth, [lost])).toBeUndefined();
    expect(withOverlay(truth, [lost, entry('update', { data: { n: 2 } })])).toEqual({ _id: 'a', n: 2 });
  });

  it('shows an update that was applied after a delete: somebody has made the document anew', () => {
    const applied = entry('update', { data: { n: 2 }, stage: 'applied' });
    expect(withOverlay(undefined, [entry('delete', { stage: 'applied' }), applied])).toEqual({ _id: 'a', n: 2 });
  });

  it('keeps an _id out of the reach of data', () => {
    expect(withOverlay(truth, [entry('update', { data: { _id: 'b' } })])?._id).toBe('a');
  });

  it('shows of an overtaken write only what the later one left alone', () => {
    const older = entry('update', { data: { n: 0, extra: 1 }, unset: ['title', 'gone'], hidden: ['n', 'title'] });
    expect(withOverlay(truth, [older])).toEqual({ ...truth, extra: 1 });
    expect(withOverlay(truth, [entry('insert', { data: { n: 0, extra: 1 }, hidden: ['n'] })])).toEqual({
      ...truth,
      extra: 1,
    });
    expect(withOverlay(truth, [entry('insert', { data: { n: 0 }, hidden: 'all' })])).toEqual(truth);
    expect(withOverlay(truth, [entry('delete', { hidden: ['n'] })])).toEqual(truth);
  });
});
