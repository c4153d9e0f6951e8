import { describe, expect, it } from '@jest/globals';
import { allDocuments } from '../conformance/pages.ts';
import {
  changeOf,
  commit,
  emptyPlan,
  epoch,
  headOf,
  lane,
  laneOne,
  look,
  planOf,
  refOf,
  requestFor,
  seq,
  type Write,
} from '../conformance/writes.ts';
import type { CommitPlan, Snapshot, Store } from '../port.ts';
import { useScope } from './fixtures/scope.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { openEmbeddedStore } from './open-embedded-store.ts';

const scope = useScope();

async function newStore(lanes = 2): Promise<{ store: Store } & AsyncDisposable> {
  const directory = await temporaryDirectory();
  const store = await openEmbeddedStore({ directory: directory.path, lanes });
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const write: Write = { documentId: 'a', fields: { n: 1 }, change: changeOf('alice', 'one') };

/** Commits a plan that `spoil` has changed. */
function commitSpoiled(store: Store, spoil: (plan: CommitPlan, snapshot: Snapshot) => CommitPlan): Promise<void> {
  const request = requestFor(store, [write]);
  return store.transact(request, (snapshot) => ({
    plan: spoil(planOf(request.epoch, [write], snapshot), snapshot),
    result: undefined,
  }));
}

describe('a plan that breaks a promise is refused whole', () => {
  const spoilers: Readonly<Record<string, (plan: CommitPlan) => CommitPlan>> = {
    'a gap after the head': (plan) => ({ ...plan, entries: plan.entries.map((entry) => ({ ...entry, seq: seq(2) })) }),
    'a seq that is taken': (plan) => ({ ...plan, entries: plan.entries.map((entry) => ({ ...entry, seq: seq(0) })) }),
    'a seq twice': (plan) => ({ ...plan, entries: [...plan.entries, ...plan.entries] }),
    'a lane that the request does not name': (plan) => ({
      ...plan,
      entries: plan.entries.map((entry) => ({ ...entry, lane: lane(1) })),
    }),
    'another epoch': (plan) => ({ ...plan, entries: plan.entries.map((entry) => ({ ...entry, epoch: epoch(9) })) }),
    'a change twice': (plan) => ({
      ...plan,
      entries: plan.entries.flatMap((entry) => [entry, { ...entry, seq: seq(2) }]),
    }),
    'two states of a document': (plan) => ({ ...plan, states: [...plan.states, ...plan.states] }),
    'a document that the request does not name': (plan) => ({
      ...plan,
      states: plan.states.map(({ state }) => ({ ref: refOf('tasks', 'other'), state })),
    }),
  };

  for (const [name, spoil] of Object.entries(spoilers)) {
    it(name, async () => {
      const rig = await scope.use(newStore());
      await expect(commitSpoiled(rig.store, spoil)).rejects.toMatchObject({ kind: 'invalid' });
      expect(await headOf(rig.store)).toBe(0);
      expect(await allDocuments(rig.store, 'tasks')).toEqual([]);
      await commitSpoiled(rig.store, (plan) => plan);
      expect(await headOf(rig.store)).toBe(1);
    });
  }
});

describe('a snapshot', () => {
  it('answers only what the request names', async () => {
    const rig = await scope.use(newStore());
    await commit(rig.store, [write]);
    const named = { documents: [refOf('tasks', 'a')], changes: [write.change!], lanes: [laneOne] };
    for (const read of [
      (snapshot: Snapshot) => snapshot.state(refOf('tasks', 'b')),
      (snapshot: Snapshot) => snapshot.state(refOf('other', 'a')),
      (snapshot: Snapshot) => snapshot.outcome(changeOf('alice', 'two')),
      (snapshot: Snapshot) => snapshot.head(lane(1)),
    ]) {
      await expect(look<unknown>(rig.store, named, read)).rejects.toMatchObject({ kind: 'invalid' });
    }
  });

  it('gives the same object for the same question', async () => {
    const rig = await scope.use(newStore());
    await commit(rig.store, [write]);
    const ref = refOf('tasks', 'a');
    const [first, second] = await look(rig.store, { documents: [ref] }, (snapshot) => [
      snapshot.state(ref),
      snapshot.state(ref),
    ]);
    expect(first).toBe(second);
  });
});

describe('keys that cannot be stored', () => {
  it('are the fault of their transaction alone', async () => {
    const rig = await scope.use(newStore());
    const results = await Promise.allSettled([
      commit(rig.store, [{ documentId: 'a', fields: {} }]),
      commit(rig.store, [{ documentId: 'x'.repeat(2_000), fields: {} }]),
      commit(rig.store, [{ collection: 'a\0b', documentId: 'a', fields: {} }]),
      commit(rig.store, [{ documentId: 'a', fields: {}, change: changeOf('u'.repeat(3_000), 'x') }]),
      commit(rig.store, [{ documentId: 'b', fields: {} }]),
    ]);
    expect(results.map((result) => (result.status === 'rejected' ? result.reason.kind : 'committed'))).toEqual([
      'committed',
      'too_large',
      'invalid',
      'too_large',
      'committed',
    ]);
    expect(await headOf(rig.store)).toBe(2);
  });
});

describe('a fence', () => {
  it('is kept when a transaction with a later token writes no entry of its lane', async () => {
    const rig = await scope.use(newStore());
    const fences = [{ lane: laneOne, token: 3 }];
    await commit(rig.store, [{ ...write, lane: lane(1) }], { lanes: [laneOne, lane(1)], fences });
    const request = { ...requestFor(rig.store, []), lanes: [laneOne], fences: [{ lane: laneOne, token: 2 }] };
    const late = rig.store.transact(request, () => ({ plan: emptyPlan, result: undefined }));
    await expect(late).rejects.toMatchObject({ kind: 'fenced' });
  });
});
