import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from '@jest/globals';
import { brandAs, type Lane, laneOf, type UserId } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';
import { createFaultyBus, createFaultyQueue } from '@tidemark/transport/faults';
import { createInProcessLeases } from '@tidemark/transport/inprocess';
import { gateway, insert, job, remove, request, tasks, update, user } from './testing/changes.ts';
import { rulesOf } from './testing/decisions.ts';
import { faultyStore, poison, watchedStore } from './testing/faulty-store.ts';
import { Rig, type RigOptions, until } from './testing/rig.ts';
import type { Writer } from './writer.ts';

const kinds = (outcomes: readonly (readonly { readonly kind: string }[])[]) =>
  outcomes.map((ofRequest) => ofRequest.map(({ kind }) => kind));

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

async function openRig(options?: RigOptions): Promise<Rig> {
  const rig = await Rig.open(options);
  rigs.push(rig);
  return rig;
}

async function startRig(options?: RigOptions): Promise<Rig> {
  const rig = await openRig(options);
  rig.startWriter();
  return rig;
}

const isReady = (writer: Writer) =>
  writer.ready().then(
    () => true,
    () => false,
  );

describe('a job', () => {
  it('is committed, published and answered, every change with its place in history', async () => {
    const rig = await startRig();
    const one = job([
      request([insert({ a: 1 }, { id: 'i1' }), update({ b: 2 }, { id: 'i2' })]),
      request([remove({ id: 'i3' })], { author: user('bob') }),
    ]);
    const outcomes = await rig.send(one);
    expect(outcomes).toMatchObject([
      [
        { kind: 'applied', changeId: 'i1', lane: 0, seq: 1 },
        { kind: 'applied', changeId: 'i2', lane: 0, seq: 2 },
      ],
      [{ kind: 'applied', changeId: 'i3', lane: 0, seq: 3 }],
    ]);
    const log = await rig.log();
    expect(log).toMatchObject([
      { seq: 1, operation: 'insert', before: null },
      { seq: 2, operation: 'update', before: { a: 1 }, after: { a: 1, b: 2 } },
      { seq: 3, operation: 'delete', author: 'bob', before: { a: 1, b: 2 } },
    ]);
    expect(rig.published).toEqual(log);
    expect(await rig.documents()).toEqual([]);
  });

  it('is published before it is answered', async () => {
    const order: string[] = [];
    const rig = await startRig({
      wrapBus: (bus) =>
        createFaultyBus(bus, {
          feed: ({ entries }) => {
            if (entries.length > 0) order.push('feed');
            return 'deliver';
          },
          reply: () => {
            order.push('reply');
            return 'deliver';
          },
        }),
    });
    await rig.send(job([request([insert({ a: 1 })])]));
    expect(order).toEqual(['feed', 'reply']);
  });

  it('serves within 50 ms of the start', async () => {
    const rig = await openRig({ lanes: 8 });
    const started = performance.now();
    const writer = rig.startWriter();
    await until(() => rig.feed.length === 8);
    expect(performance.now() - started).toBeLessThan(50);
    await writer.ready();
  });

  it('with many writes of many clients gives one gap-free history', async () => {
    const rig = await startRig();
    const jobs = Array.from({ length: 60 }, (_, n) =>
      job(
        Array.from({ length: 5 }, (_unused, m) =>
          request([update({ n, m }, { documentId: `d${(n * 5 + m) % 17}` })], { author: user(`u${n % 7}`) }),
        ),
      ),
    );
    await Promise.all(jobs.map((one) => rig.send(one)));
    const log = await rig.log();
    expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
    expect(rig.published.map(({ seq }) => seq)).toEqual(log.map(({ seq }) => seq));
    for (const document of await rig.documents()) {
      expect(log.findLast(({ documentId }) => documentId === document._id)?.after).toEqual(document);
    }
  });

  it('larger than a transaction may be is committed in several, in order', async () => {
    const sizes: number[] = [];
    const rig = await startRig({
      settings: { maxTransactionChanges: 10 },
      wrapStore: (store) =>
        faultyStore(store, {
          refuse: (entries) => {
            if (entries.length > 0) sizes.push(entries.length);
          },
        }),
    });
    const changes = Array.from({ length: 25 }, (_, n) => insert({ n }, { documentId: `d${n}` }));
    const outcomes = await rig.send(job([request(changes), request([insert({}, { documentId: 'last' })])]));
    expect(outcomes[0]?.map((outcome) => outcome.kind === 'applied' && outcome.seq)).toEqual(
      changes.map((_, n) => n + 1),
    );
    expect(sizes).toEqual([10, 10, 6]);
  });
});

describe('a change that comes again', () => {
  it('has no second effect and gets the first answer', async () => {
    const rig = await startRig();
    const changes = [insert({ a: 1 }, { timestamp: 50 }), update({ a: 0 }, { timestamp: 49 })];
    const first = await rig.send(job([request(changes)]));
    expect(kinds(first)).toEqual([['applied', 'superseded']]);
    await rig.send(job([request([update({ a: 2 }, { timestamp: 51 })])]));
    const again = await rig.send(job([request(changes)]));
    const [applied, superseded] = first[0]!;
    expect(again[0]).toEqual([
      { kind: 'duplicate', changeId: changes[0]!.id, first: 'applied', timestamp: 50, lane: 0, seq: 1 },
      {
        kind: 'duplicate',
        changeId: changes[1]!.id,
        first: 'superseded',
        timestamp: superseded!.timestamp,
        current: (await rig.documents())[0],
      },
    ]);
    expect(applied).toMatchObject({ timestamp: 50 });
    expect(await rig.log()).toHaveLength(2);
  });

  it('in the same job is one change, and an id is of its author only', async () => {
    const rig = await startRig();
    const same = insert({ a: 1 }, { id: 'same' });
    const outcomes = await rig.send(
      job([request([same, same]), request([same]), request([same], { author: user('bob') })]),
    );
    expect(kinds(outcomes)).toEqual([['applied', 'duplicate'], ['duplicate'], ['applied']]);
    expect(await rig.log()).toHaveLength(2);
  });

  it('after a rejection is decided anew', async () => {
    const rules = rulesOf('collections: { tasks: { read: true, insert: owner == $user.sub } }');
    const rig = await startRig({ rules });
    const refused = insert({ owner: 'bob' }, { id: 'x' });
    expect(kinds(await rig.send(job([request([refused, refused])])))).toEqual([['rejected', 'rejected']]);
    const corrected = insert({ owner: 'alice' }, { id: 'x' });
    expect(kinds(await rig.send(job([request([corrected])])))).toEqual([['applied']]);
  });

  it.each(['twice', 'die_after'] as const)('by redelivery (%s) answers with the first outcome', async (fate) => {
    const rig = await startRig({
      wrapQueue: (queue) => createFaultyQueue(queue, (_job, { attempt }) => (attempt === 1 ? fate : 'deliver')),
    });
    const one = job([request([insert({ a: 1 }), update({ a: 2 })])]);
    await rig.queue.enqueue(one);
    await until(() => rig.replies.length >= 2);
    expect(rig.replies.map(({ outcomes }) => kinds(outcomes))).toEqual([
      [['applied', 'applied']],
      [['duplicate', 'duplicate']],
    ]);
    expect(await rig.log()).toHaveLength(2);
  });

  it('when the process died between commit and publish is recognised, and the heartbeat shows the tail', async () => {
    let isDead = true;
    const rig = await startRig({
      wrapBus: (bus) =>
        createFaultyBus(bus, {
          feed: ({ entries }) => (isDead && entries.length > 0 ? 'drop' : 'deliver'),
          reply: () => (isDead ? 'drop' : 'deliver'),
        }),
    });
    const changes = [insert({ a: 1 })];
    await rig.queue.enqueue(job([request(changes)]));
    await until(() => rig.feed.some(({ head, entries }) => head === 1 && entries.length === 0));
    expect(rig.published).toEqual([]);
    isDead = false;
    expect(kinds(await rig.send(job([request(changes)])))).toEqual([['duplicate']]);
    expect(await rig.log()).toHaveLength(1);
  });

  it('because the news of the commit was lost is recognised', async () => {
    let lost = 0;
    const rig = await startRig({
      wrapStore: (store) =>
        faultyStore(store, {
          forget: (entries) => (entries.length > 0 && ++lost === 1 ? new StoreError('unavailable', 'lost') : undefined),
        }),
    });
    expect(kinds(await rig.send(job([request([insert({ a: 1 })])])))).toEqual([['duplicate']]);
    expect(await rig.log()).toHaveLength(1);
  });
});

describe('trouble', () => {
  it('the store away: jobs come again until it is back, nothing is lost or done twice', async () => {
    let failures = 3;
    const rig = await startRig({
      wrapStore: (store) =>
        faultyStore(store, { refuse: () => (failures-- > 0 ? new StoreError('unavailable', 'away') : undefined) }),
    });
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, (_, n) => rig.send(job([request([insert({ n }, { documentId: `d${n}` })])]))),
    );
    expect(outcomes.map(kinds)).toEqual(Array(5).fill([['applied']]));
    expect((await rig.log()).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(await rig.telemetry.metrics.text()).toMatch(/tidemark_jobs_total\{result="redelivered"\} [1-9]/);
  });

  it('publishing fails: the commit stands and the deliveries end', async () => {
    const rig = await startRig({
      wrapBus: (bus) => ({
        ...createFaultyBus(bus, {}),
        publishFeed: async () => {
          throw new Error('no bus');
        },
      }),
    });
    expect(kinds(await rig.send(job([request([insert({ a: 1 })])])))).toEqual([['applied']]);
    expect(await rig.log()).toHaveLength(1);
    await until(async () => (await rig.queue.depth()).get(brandAs<Lane>(0)) === 0);
  });

  it('a bus that hangs holds up neither answers nor commits for ever', async () => {
    const rig = await startRig({
      settings: { publishTimeoutMs: 5 },
      wrapBus: (bus) => ({ ...createFaultyBus(bus, {}), publishFeed: () => new Promise(() => undefined) }),
    });
    for (const n of [1, 2, 3]) expect(kinds(await rig.send(job([request([insert({ n })])])))).toEqual([['applied']]);
  });

  it('a change that cannot be decided costs only itself', async () => {
    const rig = await startRig({
      rules: {
        canRead: () => true,
        settings: () => ({ merge: 'document', indexes: [] }) as never,
        writeFault: (_collection, _author, { after }) => {
          if (after?.bug === true) throw new TypeError('a bug');
          return undefined;
        },
      },
    });
    const outcomes = await rig.send(
      job([request([insert({ a: 1 }), update({ bug: true }), update({ b: 2 })]), request([update({ c: 3 })])]),
    );
    expect(outcomes).toMatchObject([
      [
        { kind: 'applied', seq: 1 },
        { kind: 'rejected', code: 'internal' },
        { kind: 'applied', seq: 2 },
      ],
      [{ kind: 'applied', seq: 3 }],
    ]);
  });
});

describe('poison', () => {
  const isBad = ({ documentId }: { readonly documentId: unknown }) => String(documentId).startsWith('bad');

  it('a change that the store refuses is rejected alone, the others keep their order', async () => {
    const rig = await startRig({ wrapStore: (store) => faultyStore(store, { refuse: poison(isBad) }) });
    const changes = Array.from({ length: 40 }, (_, n) =>
      insert({ n }, { documentId: n === 7 || n === 23 ? `bad${n}` : `d${n}` }),
    );
    const [outcomes] = await rig.send(job([request(changes)]));
    const refused = outcomes!.filter(({ kind }) => kind === 'rejected');
    expect(refused).toMatchObject([
      { changeId: changes[7]!.id, code: 'duplicate_key' },
      { changeId: changes[23]!.id, code: 'duplicate_key' },
    ]);
    expect(JSON.stringify(refused)).not.toContain('secret');
    const good = changes.filter(({ documentId }) => !String(documentId).startsWith('bad'));
    expect((await rig.log()).map(({ id }) => id)).toEqual(good.map(({ id }) => id));
    expect(rig.published.map(({ seq }) => seq)).toEqual(good.map((_, n) => n + 1));
    expect(await rig.telemetry.metrics.text()).toContain('tidemark_poisoned_changes_total 2');
  });

  it.each([
    ['too_large', 'too_large'],
    ['invalid', 'invalid_document'],
  ] as const)('%s of the store is %s for the client', async (kind, code) => {
    const refuse = poison(isBad, new StoreError(kind, 'no'));
    const rig = await startRig({ wrapStore: (store) => faultyStore(store, { refuse }) });
    const outcomes = await rig.send(job([request([insert({}, { documentId: 'bad' }), insert({})])]));
    expect(outcomes[0]).toMatchObject([{ kind: 'rejected', code }, { kind: 'applied' }]);
  });

  it('an error that no port knows costs its change, not the lane', async () => {
    const refuse = poison(isBad, new TypeError('a bug of the adapter'));
    const rig = await startRig({ wrapStore: (store) => faultyStore(store, { refuse }) });
    const outcomes = await rig.send(job([request([insert({}, { documentId: 'bad' }), insert({})])]));
    expect(outcomes[0]).toMatchObject([{ kind: 'rejected', code: 'internal' }, { kind: 'applied' }]);
  });

  it('an atomic request falls as a whole and nothing else does', async () => {
    const rig = await startRig({ wrapStore: (store) => faultyStore(store, { refuse: poison(isBad) }) });
    const outcomes = await rig.send(
      job([
        request([insert({}, { documentId: 'd1' })]),
        request([insert({}, { documentId: 'd2' }), insert({}, { documentId: 'bad' })], { atomic: true }),
        request([insert({}, { documentId: 'd3' })]),
      ]),
    );
    expect(kinds(outcomes)).toEqual([['applied'], ['rejected', 'rejected'], ['applied']]);
    expect((await rig.documents()).map(({ _id }) => _id)).toEqual(['d1', 'd3']);
  });

  it('the store going away in the middle of the search loses and doubles nothing', async () => {
    let calls = 0;
    const refuse = (entries: Parameters<ReturnType<typeof poison>>[0]) =>
      ++calls === 4 ? new StoreError('unavailable', 'away') : poison(isBad)(entries);
    const rig = await startRig({
      settings: { heartbeatMs: 60_000 },
      wrapStore: (store) => faultyStore(store, { refuse }),
    });
    await until(() => calls > 0);
    const changes = Array.from({ length: 8 }, (_, n) => insert({ n }, { documentId: n === 5 ? 'bad' : `d${n}` }));
    const [outcomes] = await rig.send(job([request(changes)]));
    expect(outcomes!.map(({ kind }) => kind === 'rejected')).toEqual(changes.map((_, n) => n === 5));
    expect(outcomes!.filter(({ kind }) => kind === 'duplicate').length).toBeGreaterThan(0);
    expect((await rig.log()).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(rig.published.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('lanes', () => {
  const laneOfId = (documentId: string) => laneOf(tasks, documentId as never, 4);
  /** A document id for each lane. */
  const ids = [0, 1, 2, 3].map(
    (lane) => Array.from({ length: 99 }, (_, n) => `d${n}`).find((id) => laneOfId(id) === lane)!,
  );

  it('an atomic request across all of them is one commit, published on each', async () => {
    const rig = await startRig({ lanes: 4 });
    const changes = ids.map((documentId, n) => insert({ n }, { documentId }));
    const [outcomes] = await rig.send(job([request(changes, { atomic: true })], { lane: brandAs<Lane>(2) }));
    expect(outcomes).toMatchObject([0, 1, 2, 3].map((lane) => ({ kind: 'applied', lane, seq: 1 })));
    for (const lane of [0, 1, 2, 3]) {
      expect(await rig.log(lane)).toMatchObject([{ lane, seq: 1, documentId: ids[lane] }]);
      expect(rig.feed).toContainEqual(expect.objectContaining({ lane, head: 1, entries: await rig.log(lane) }));
    }
    const again = await rig.send(job([request(changes, { atomic: true })], { lane: brandAs<Lane>(2) }));
    expect(kinds(again)).toEqual([['duplicate', 'duplicate', 'duplicate', 'duplicate']]);
  });

  it('many atomic requests across them and single ones beside them keep every lane without a gap', async () => {
    const rig = await startRig({ lanes: 4 });
    const jobs = Array.from({ length: 40 }, (_, n) => {
      const lane = brandAs<Lane>(n % 4);
      const across = request(
        ids.map((documentId) => update({ n }, { documentId })),
        { atomic: true },
      );
      const single = request([update({ single: n }, { documentId: ids[n % 4]! })]);
      return job([across, single], { lane });
    });
    const outcomes = await Promise.all(jobs.map((one) => rig.send(one)));
    expect(outcomes.flat(2).every(({ kind }) => kind === 'applied')).toBe(true);
    for (const lane of [0, 1, 2, 3]) {
      const expected = Array.from({ length: 50 }, (_, n) => n + 1);
      expect((await rig.log(lane)).map(({ seq }) => seq)).toEqual(expected);
    }
  });

  it('a job of another layout is decided on the lanes of today, also from a lane that is no more', async () => {
    const directory = await mkdtemp(`${tmpdir()}/tidemark-epoch-`);
    const before = await startRig({ directory, lanes: 6 });
    await before.send(job([request([insert({ a: 1 }, { documentId: ids[1]! })])]));
    await before.close();
    const rig = await startRig({ directory, lanes: 4 });
    const stale = job([request([update({ b: 2 }, { documentId: ids[1]! })])], { lane: brandAs<Lane>(5) });
    expect(stale.epoch).not.toBe(rig.store.history.epochs.at(-1)?.epoch);
    expect(await rig.send(stale)).toMatchObject([[{ kind: 'applied', lane: 1 }]]);
    expect(await rig.documents()).toMatchObject([{ a: 1, b: 2 }]);
    await rig.close();
    await rm(directory, { recursive: true });
  });

  it('tells the head of every lane again and again', async () => {
    const rig = await startRig({ lanes: 4 });
    await rig.send(job([request([insert({}, { documentId: ids[3]! })])], { lane: brandAs<Lane>(3) }));
    rig.feed.length = 0;
    await until(() => rig.feed.filter(({ lane }) => lane === 3).length >= 2);
    const heads = new Map(rig.feed.map(({ lane, head }) => [lane, head] as const));
    expect([...heads].sort()).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 1],
    ]);
  });
});

describe('several writers', () => {
  it('two share the lanes, and a drained one hands its lanes over without losing a job', async () => {
    const rig = await openRig({ lanes: 4, settings: { leaseTtlMs: 60 } });
    const first = rig.startWriter({ holder: 'a' });
    const second = rig.startWriter({ holder: 'b' });
    await until(async () => (await isReady(first)) && (await isReady(second)));
    const sending = Array.from({ length: 80 }, (_, n) => {
      const documentId = `d${n}`;
      const lane = laneOf(tasks, documentId as never, 4);
      return rig.send(job([request([insert({ n }, { documentId })])], { lane }));
    });
    await first.drain();
    await expect(first.ready()).rejects.toMatchObject({ code: 'unavailable' });
    const outcomes = await Promise.all(sending);
    expect(outcomes.flat(2).every(({ kind }) => kind === 'applied')).toBe(true);
    expect(await rig.documents()).toHaveLength(80);
    await first.stop();
  });

  it('one with an old lease is fenced: it stops serving, and its jobs are done by the other', async () => {
    const rig = await openRig();
    // Two lease services that do not know of each other: both writers believe that the lane is theirs.
    const later = createInProcessLeases({ clock: () => Date.now() + 1_000_000 });
    let fenced = 0;
    const store = watchedStore(rig.store, (error) => {
      if (StoreError.is(error, 'fenced')) fenced += 1;
    });
    const stale = rig.createWriter({ settings: rig.deps({ holder: 'old' }).settings, store });
    const running = stale.run();
    await until(() => isReady(stale));
    const fresh = rig.createWriter({ settings: rig.deps({ holder: 'new' }).settings, leases: later });
    const freshRunning = fresh.run();
    await until(() => isReady(fresh));
    const jobs = Array.from({ length: 200 }, (_, n) => job([request([insert({ n }, { documentId: `d${n}` })])]));
    const outcomes = await Promise.all(jobs.map((one) => rig.send(one)));
    expect(outcomes.flat(2).every(({ kind }) => kind === 'applied' || kind === 'duplicate')).toBe(true);
    expect((await rig.log()).map(({ seq }) => seq)).toEqual(jobs.map((_, n) => n + 1));
    expect(fenced).toBeGreaterThan(0);
    await Promise.all([stale.stop(), fresh.stop()]);
    await Promise.all([running, freshRunning]);
  });

  it('writes on, though the clock was a year ahead when the last one got its lease', async () => {
    const rig = await openRig();
    const ahead = createInProcessLeases({ clock: () => Date.now() + 365 * 24 * 3_600_000 });
    const former = rig.createWriter({ leases: ahead });
    const running = former.run();
    await rig.send(job([request([insert({}, { documentId: 'then' })])]));
    await former.stop();
    await running;
    rig.startWriter();
    const outcomes = await rig.send(job([request([insert({}, { documentId: 'now' })])]));
    expect(outcomes).toMatchObject([[{ kind: 'applied', seq: 2 }]]);
  });
});

describe('life', () => {
  it('is ready while it runs; drain and stop may be called twice and in any order', async () => {
    const rig = await openRig();
    const writer = rig.startWriter();
    await until(() => isReady(writer));
    const running = writer.run();
    await Promise.all([writer.stop(), writer.drain(), writer.stop()]);
    await running;
    await writer.drain();
    await expect(writer.ready()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(writer.run()).resolves.toBeUndefined();
  });

  it('does not run when it was stopped before', async () => {
    const rig = await openRig();
    const writer = rig.createWriter();
    await writer.stop();
    await writer.run();
    expect(rig.feed).toEqual([]);
  });

  it('ends the jobs in hand before it is drained', async () => {
    const rig = await openRig();
    const writer = rig.startWriter();
    await until(() => isReady(writer));
    const jobs = Array.from({ length: 10 }, (_, n) => job([request([insert({ n }, { documentId: `d${n}` })])]));
    for (const one of jobs) await rig.queue.enqueue(one);
    await until(async () => (await rig.log()).length > 0);
    await writer.stop();
    const depth = (await rig.queue.depth()).get(brandAs<Lane>(0)) ?? 0;
    expect(rig.replies).toHaveLength(10 - depth);
    expect(await rig.log()).toHaveLength(10 - depth);
  });

  it('gives up when the layout of lanes has changed under it', async () => {
    const rig = await openRig();
    const stale = faultyStore(rig.store, {
      refuse: (entries) => (entries.length > 0 ? new StoreError('stale_epoch', 'changed') : undefined),
    });
    const writer = rig.createWriter({ store: stale });
    const running = expect(writer.run()).rejects.toMatchObject({ kind: 'stale_epoch' });
    await rig.queue.enqueue(job([request([insert({ a: 1 })])]));
    await running;
    await writer.stop();
  });
});

describe('replies', () => {
  it('go to the gateway that sent the job and carry emitTo and origin into the entries', async () => {
    const rig = await startRig();
    const emitTo = [brandAs<UserId>('carol')];
    const one = job([request([insert({ a: 1 })], { emitTo, origin: 's9' as never })], { gateway });
    await rig.send(one);
    expect(rig.published).toMatchObject([{ emitTo, origin: 's9' }]);
  });
});
