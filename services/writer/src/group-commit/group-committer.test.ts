import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { brandAs, type Change, type Lane, laneOf } from '@tidemark/protocol';
import type { Store, TransactionRequest } from '@tidemark/storage';
import { openEmbeddedStore } from '@tidemark/storage/embedded';
import { silentTelemetry } from '@tidemark/telemetry';
import { createInProcessBus } from '@tidemark/transport/inprocess';
import { insert, job, request, update } from '../testing/changes.ts';
import { openRules } from '../testing/decisions.ts';
import { GroupCommitter } from './group-committer.ts';

const lanes = [brandAs<Lane>(0), brandAs<Lane>(1)] as const;

/** An insert whose document lies in the lane. */
function insertIn(lane: Lane) {
  for (let n = 0; ; n++) {
    const made = insert({ n }, { documentId: `d${n}` });
    if (laneOf(made.collection, made.key, lanes.length) === lane) return made;
  }
}

function committerOn(store: Pick<Store, 'history' | 'transact'>): GroupCommitter {
  return new GroupCommitter({
    store,
    bus: createInProcessBus(),
    rules: openRules,
    telemetry: silentTelemetry(),
    settings: { maxClockSkewMs: 60_000, optimisticLocking: false, maxTransactionChanges: 100, publishTimeoutMs: 1_000 },
    now: Date.now,
  });
}

describe('the group commit of several lanes', () => {
  let directory: string;
  let store: Store;
  let requests: TransactionRequest[];
  let committer: GroupCommitter;
  const lost: Lane[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-group-'));
    store = await openEmbeddedStore({ directory, lanes: lanes.length });
    requests = [];
    lost.length = 0;
    const counted: Pick<Store, 'history' | 'transact'> = {
      history: store.history,
      transact: (wanted, decide) => {
        requests.push(wanted);
        return store.transact(wanted, decide);
      },
    };
    committer = committerOn(counted);
  });

  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  const seatOf = (lane: Lane) => committer.seat({ lane, token: 5, onLost: () => lost.push(lane) });
  const submitTo = (lane: Lane) => seatOf(lane).submit(job([request([insertIn(lane)])], { lane }), { attempt: 1 });
  const heads = async () => (await store.heads(store.history.epochs[0]!.epoch)).map(({ head }) => head);

  it('is one transaction for what waits in all of them', async () => {
    await Promise.all(lanes.map(submitTo));
    expect(requests).toHaveLength(1);
    expect(await heads()).toEqual([1, 1]);
  });

  it('tells the store which documents it expects to be new: those whose first change is an insert', async () => {
    const made = insertIn(lanes[0]);
    const place = { documentId: made.documentId as string };
    const seat = seatOf(lanes[0]);
    const commitOf = (...changes: readonly Change[]) =>
      seat.submit(job([request(changes)], { lane: lanes[0] }), { attempt: 1 });
    await commitOf(made, update({ n: 1 }, place));
    await commitOf(update({ n: 2 }, place), insert({ n: 3 }, place));
    expect(requests.map(({ expectedNew }) => expectedNew?.map(({ documentId }) => documentId))).toEqual([
      [made.documentId],
      [],
    ]);
  });

  it('loses only the lane that is another writer’s', async () => {
    const owner = committerOn(store).seat({ lane: lanes[1], token: 6, onLost: () => undefined });
    await owner.submit(job([request([insertIn(lanes[1])])], { lane: lanes[1] }), { attempt: 1 });

    const [first, second] = await Promise.allSettled(lanes.map(submitTo));
    expect(first).toMatchObject({ status: 'fulfilled' });
    expect(second).toMatchObject({ status: 'rejected', reason: { kind: 'fenced', lane: lanes[1] } });
    expect(lost).toEqual([lanes[1]]);
    expect(await heads()).toEqual([1, 1]);
  });
});
