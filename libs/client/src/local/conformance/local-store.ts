/**
 * The tests that every `LocalStore` must pass, for Jest: call `describeLocalStore` in a test file of your store.
 *
 * @module conformance
 */
import { describe, expect, it } from '@jest/globals';
import { brandAs, type Document, type DocumentKey } from '@tidemark/protocol/core';
import { type LocalStore, LocalStoreError } from '../port.ts';
import type { DocumentRecord, MetaRecord, OutboxEntry, SubscriptionRecord } from '../records.ts';
import { emptyBatch } from './empty-batch.ts';

export { emptyBatch };

/** One place on which stores are opened, one after the other. */
export interface LocalStoreRig {
  /** Opens the store; what an earlier one has written is there. */
  open(): LocalStore;
  /** False for a store that takes whatever it is given. */
  readonly canRefuse?: boolean;
  /** Removes the place. */
  dispose(): Promise<void>;
}

const keyed = (text: string) => brandAs<DocumentKey>(text);

function documentRecord(collection: string, key: string, fields: Record<string, unknown> = {}): DocumentRecord {
  return { collection, key: keyed(key), document: { _id: key, ...fields } as unknown as Document };
}

function entryRecord(id: string, timestamp: number): OutboxEntry {
  return {
    id,
    operation: 'update',
    collection: 'tasks',
    documentId: 'a',
    key: keyed('a'),
    data: { title: id },
    unset: ['old'],
    timestamp,
    stage: 'accepted',
    bytes: 100,
  };
}

function subscriptionRecord(id: string): SubscriptionRecord {
  return {
    id,
    key: `key of ${id}`,
    collection: 'tasks',
    filter: 'a == $0',
    args: [{ $oid: '5f0000000000000000000000' }],
    claimedAt: 5,
  };
}

const meta: MetaRecord = {
  clientId: 'c1',
  clock: 7,
  userId: 'ann',
  checkpoint: { token: '1.x', subscriptions: ['s1'] },
};

/** What every LocalStore must do. */
export function describeLocalStore(name: string, makeRig: () => Promise<LocalStoreRig>): void {
  describe(`${name} as a LocalStore`, () => {
    const withRig = (test: (rig: LocalStoreRig) => Promise<void>) => async () => {
      const rig = await makeRig();
      try {
        await test(rig);
      } finally {
        await rig.dispose();
      }
    };

    /** What a program finds that opens the store now. */
    const reopened = async (rig: LocalStoreRig, before: LocalStore) => {
      await before.close();
      const store = rig.open();
      const state = await store.load();
      await store.close();
      return state;
    };

    it(
      'is empty at first',
      withRig(async (rig) => {
        const store = rig.open();
        expect(await store.load()).toEqual({ documents: [], entries: [], subscriptions: [], meta: undefined });
        await store.close();
      }),
    );

    it(
      'keeps every kind of record as it was',
      withRig(async (rig) => {
        const store = rig.open();
        await store.load();
        const document = documentRecord('tasks', 'a', {
          text: 'ä€😀\u0000"',
          list: [1, 2.5, -0.1, null, true, { $numberDecimal: '1.10' }],
          nested: { deep: { $date: '2026-11-24T10:00:00.000Z' }, empty: {} },
          $oidLike: '5f0000000000000000000000',
        });
        const batch = {
          ...emptyBatch,
          putDocuments: [document],
          putEntries: [entryRecord('e1', 1)],
          putSubscriptions: [subscriptionRecord('s1')],
          meta,
        };
        await store.write(batch);
        expect(await reopened(rig, store)).toEqual({
          documents: [document],
          entries: [entryRecord('e1', 1)],
          subscriptions: [subscriptionRecord('s1')],
          meta,
        });
      }),
    );

    it(
      'replaces and deletes',
      withRig(async (rig) => {
        const store = rig.open();
        await store.load();
        const [a, b] = [documentRecord('tasks', 'a'), documentRecord('tasks', 'b')];
        await store.write({
          ...emptyBatch,
          putDocuments: [a, b],
          putEntries: [entryRecord('e1', 1), entryRecord('e2', 2)],
          putSubscriptions: [subscriptionRecord('s1')],
          meta,
        });
        const changed = documentRecord('tasks', 'a', { title: 'new' });
        const applied = { ...entryRecord('e1', 1), stage: 'applied' } as const;
        await store.write({
          ...emptyBatch,
          putDocuments: [changed],
          deleteDocuments: [b],
          putEntries: [applied],
          deleteEntries: ['e2'],
          deleteSubscriptions: ['s1'],
          meta: { clientId: 'c1', clock: 8 },
        });
        expect(await reopened(rig, store)).toEqual({
          documents: [changed],
          entries: [applied],
          subscriptions: [],
          meta: { clientId: 'c1', clock: 8 },
        });
      }),
    );

    it(
      'takes the deletion of what is not there',
      withRig(async (rig) => {
        const store = rig.open();
        await store.load();
        await store.write({
          ...emptyBatch,
          deleteDocuments: [documentRecord('tasks', 'a')],
          deleteEntries: ['e'],
          deleteSubscriptions: ['s'],
        });
        expect((await reopened(rig, store)).documents).toEqual([]);
      }),
    );

    it(
      'takes no two names for one',
      withRig(async (rig) => {
        const store = rig.open();
        await store.load();
        const oid = '5f0000000000000000000000';
        const names: [string, string][] = [
          ['a', 'b'],
          ['ab', ''],
          ['a', 'B'],
          ['A', 'b'],
          ['a b', 'c'],
          ['a', 'b c'],
          ['a', ' b'],
          ['a.b', 'c'],
          ['a', 'b.c'],
          ['a', oid],
          ['a', `\u0000o${oid}`],
          ['a', '1'],
          ['a', '01'],
          ['a', 'é'],
          ['a', 'e\u0301'],
          ['a', '😀'],
          ['a', '\uffff'],
          ['a', 'x'.repeat(512)],
        ];
        const records = names.map(([collection, key], index) => documentRecord(collection, key, { index }));
        await store.write({ ...emptyBatch, putDocuments: records });
        const { documents } = await reopened(rig, store);
        const byIndex = [...documents].sort((a, b) => Number(a.document.index) - Number(b.document.index));
        expect(byIndex).toEqual(records);
      }),
    );

    it(
      'writes a batch whole or not at all',
      withRig(async (rig) => {
        const store = rig.open();
        await store.load();
        if (rig.canRefuse === false) return;
        await store.write({ ...emptyBatch, putDocuments: [documentRecord('tasks', 'a')], meta });
        const unstorable = documentRecord('tasks', 'c', { fault: () => 0, big: 1n });
        const batch = {
          ...emptyBatch,
          putDocuments: [documentRecord('tasks', 'b'), unstorable],
          deleteDocuments: [documentRecord('tasks', 'a')],
          meta: { clientId: 'c2', clock: 1 },
        };
        await expect(store.write(batch)).rejects.toBeInstanceOf(LocalStoreError);
        const state = await reopened(rig, store);
        expect(state.documents).toEqual([documentRecord('tasks', 'a')]);
        expect(state.meta).toEqual(meta);
      }),
    );

    it(
      'has what was written when the call has resolved, also without a close',
      withRig(async (rig) => {
        const store = rig.open();
        await store.load();
        await store.write({ ...emptyBatch, putEntries: [entryRecord('e1', 1)] });
        expect((await store.load()).entries).toEqual([entryRecord('e1', 1)]);
        await store.close();
      }),
    );

    it(
      'takes large batches',
      withRig(async (rig) => {
        const store = rig.open();
        await store.load();
        const records = Array.from({ length: 3_000 }, (_, index) =>
          documentRecord('tasks', `k${index}`, { index, text: 'x'.repeat(200) }),
        );
        await store.write({ ...emptyBatch, putDocuments: records });
        const { documents } = await reopened(rig, store);
        expect(documents).toHaveLength(3_000);
        expect(new Set(documents.map(({ document }) => document.index)).size).toBe(3_000);
      }),
    );

    it(
      'forgets everything when it is cleared, and goes on',
      withRig(async (rig) => {
        const store = rig.open();
        await store.load();
        await store.write({
          ...emptyBatch,
          putDocuments: [documentRecord('tasks', 'a')],
          putEntries: [entryRecord('e1', 1)],
          putSubscriptions: [subscriptionRecord('s1')],
          meta,
        });
        await store.clear();
        await store.write({ ...emptyBatch, putDocuments: [documentRecord('tasks', 'b')] });
        expect(await reopened(rig, store)).toEqual({
          documents: [documentRecord('tasks', 'b')],
          entries: [],
          subscriptions: [],
          meta: undefined,
        });
      }),
    );

    it(
      'refuses to write after it was closed; closing twice is no fault',
      withRig(async (rig) => {
        const store = rig.open();
        await store.load();
        await store.close();
        await store.close();
        await expect(store.write({ ...emptyBatch, meta })).rejects.toMatchObject({
          name: 'LocalStoreError',
          code: 'closed',
        });
      }),
    );
  });
}
