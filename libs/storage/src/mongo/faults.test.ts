import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { brandAs, type Seq } from '@tidemark/protocol';
import type { Store } from '../port.ts';
import { BreakingProxy } from './testing/breaking-proxy.ts';
import { commit, epoch1, lane0, refOf } from './testing/sample-plans.ts';
import { useTestBed } from './testing/test-bed.ts';

const bed = useTestBed();
let proxy: BreakingProxy;
let store: Store;

beforeEach(async () => {
  proxy = await BreakingProxy.to(bed().server.uri);
  store = await bed().open({ uri: proxy.uri });
  await commit(store, [{ id: 'first', fields: {}, change: 'first' }]);
});

afterEach(async () => {
  proxy.heal();
  await store.close();
  await proxy.stop();
});

const log = async () =>
  (await store.readLog({ epoch: epoch1, lane: lane0, after: brandAs<Seq>(0), limit: 100 })).map((entry) => entry.id);

const nothing = { entries: [], states: [], superseded: [] };

const ofHousekeeping = new Set(['hello', 'ismaster', 'ping', 'saslStart', 'saslContinue', 'endSessions']);

/** What the server was asked for meanwhile. */
async function commandsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  proxy.commands.length = 0;
  await work();
  return proxy.commands.filter((name) => !ofHousekeeping.has(name));
}

describe('a transaction', () => {
  const writes = async (kinds: readonly string[]) => {
    const { maxWireVersion } = await bed().db.admin().command({ hello: 1 });
    return maxWireVersion >= 25 ? ['bulkWrite'] : kinds;
  };
  const documents = (count: number, more: object = {}) =>
    Array.from({ length: count }, (_, n) => ({ id: `d${n}`, fields: { n }, change: `c${n}`, ...more }));

  it.each([1, 50])('of %d documents takes a read, a write and a commit', async (count) => {
    const commands = await commandsOf(() => commit(store, documents(count)));
    const expected = await writes(['update', 'delete', 'insert', 'update']);
    expect(commands).toEqual(['find', ...expected, 'commitTransaction']);
  });

  it.each([1, 50])('of %d documents that are expected to be new takes a write and a commit', async (count) => {
    const commands = await commandsOf(() => commit(store, documents(count, { isExpectedNew: true })));
    expect(commands).toEqual([...(await writes(['insert', 'delete', 'insert', 'update'])), 'commitTransaction']);
  });

  it('that only looks leaves the next one as quick as it was', async () => {
    const request = { epoch: epoch1, lanes: [lane0], documents: [], changes: [] };
    await store.transact(request, () => ({ plan: nothing, result: undefined }));
    const commands = await commandsOf(() => commit(store, documents(1)));
    expect(commands.filter((name) => name === 'find')).toHaveLength(1);
  });

  it('looks for documents for a while after they were expected to be new and were not', async () => {
    const next = (change: string) =>
      commandsOf(() => commit(store, [{ id: change, fields: {}, change, isExpectedNew: true }]));
    expect(await next('second')).not.toContain('find');
    await commit(store, [{ id: 'first', fields: {}, change: 'again', isExpectedNew: true }]);
    for (let n = 0; n < 64; n += 1) expect(await next(`wary${n}`)).toContain('find');
    expect(await next('last')).not.toContain('find');
  });

  it.each(['find', 'bulkWrite', 'commitTransaction'])(
    'whose reply to %s is lost is committed once',
    async (command) => {
      proxy.loseReplyTo(command);
      const head = await commit(store, [{ id: 'a', fields: { n: 1 }, change: 'second' }]);
      expect(head).toBe(2);
      expect(await log()).toEqual(['first', 'second']);
      expect((await store.heads(epoch1)).map((lane) => lane.head)).toEqual([2]);
    },
  );

  it.each([
    ['that presumes', async () => store],
    ['that reads everything', async () => bed().open({ uri: proxy.uri })],
  ])('%s decides again when another program changes the document meanwhile', async (_how, open) => {
    const writer = await open();
    const notes = bed().db.collection<{ _id: string; n: number }>('notes');
    await notes.insertOne({ _id: 'a', n: 1 });
    const seen: unknown[] = [];
    const held = proxy.hold('update');
    const committing = commit(writer, [{ id: 'a', fields: { m: 1 }, change: 'second' }], {
      look: (snapshot) => seen.push(snapshot.state(refOf({ id: 'a' }))),
    });
    const release = await held;
    await notes.updateOne({ _id: 'a' }, { $set: { n: 2 } });
    release();
    await committing;
    expect(seen).toEqual([1, 2].map((n) => ({ kind: 'document', document: { _id: 'a', n } })));
    expect(await notes.findOne({ _id: 'a' })).toMatchObject({ n: 2, m: 1, sync_version: 2 });
  });

  it.each([false, true])(
    'decides again when another program makes the document meanwhile (expected new: %s)',
    async (isExpectedNew) => {
      const notes = bed().db.collection<{ _id: string; n: number }>('notes');
      const held = proxy.hold('update');
      const committing = commit(store, [{ id: 'a', fields: { m: 1 }, change: 'second', isExpectedNew }]);
      const release = await held;
      await notes.insertOne({ _id: 'a', n: 2 });
      release();
      await committing;
      expect(await notes.findOne({ _id: 'a' })).toMatchObject({ n: 2, m: 1 });
    },
  );

  it.each([
    ['that presumes', async () => store],
    ['that reads everything', async () => bed().open({ uri: proxy.uri })],
  ])('%s decides again when another writer is faster on the lane', async (_how, open) => {
    const writer = await open();
    const other = await bed().open();
    const held = proxy.hold('update');
    const heads: number[] = [];
    const committing = commit(writer, [{ id: 'a', fields: {}, change: 'second' }], {
      look: (snapshot) => heads.push(snapshot.head(lane0)),
    });
    const release = await held;
    await commit(other, [{ id: 'b', fields: {}, change: 'faster' }]);
    release();
    expect(await committing).toBe(3);
    expect(heads).toEqual([1, 2]);
    expect(await log()).toEqual(['first', 'faster', 'second']);
  });
});

describe('a transaction that reads everything', () => {
  it.each(['find', 'update', 'insert', 'commitTransaction'])(
    'and whose reply to %s is lost is committed once',
    async (command) => {
      const writer = await bed().open({ uri: proxy.uri });
      proxy.loseReplyTo(command);
      expect(await commit(writer, [{ id: 'a', fields: { n: 1 }, change: 'second' }])).toBe(2);
      expect(await log()).toEqual(['first', 'second']);
    },
  );
});

describe('what a transaction presumes', () => {
  const look = (writer: Store) =>
    writer.transact({ epoch: epoch1, lanes: [lane0], documents: [refOf({ id: 'a' })], changes: [] }, (snapshot) => ({
      plan: nothing,
      result: { head: snapshot.head(lane0), state: snapshot.state(refOf({ id: 'a' }))?.kind },
    }));

  it('is read when nothing is written that would prove it', async () => {
    const other = await bed().open();
    await commit(other, [{ id: 'a', fields: {}, change: 'others' }]);
    expect(await look(store)).toEqual({ head: 2, state: 'document' });
  });

  it.each([false, true])('is not that a deleted document never was (expected new: %s)', async (isExpectedNew) => {
    await commit(store, [{ id: 'a', fields: {}, change: 'made' }]);
    await commit(store, [{ id: 'a', fields: null, change: 'deleted' }]);
    const kinds: unknown[] = [];
    await commit(store, [{ id: 'a', fields: {}, change: 'again', isExpectedNew }], {
      look: (snapshot) => kinds.push(snapshot.state(refOf({ id: 'a' }))?.kind),
    });
    expect(kinds).toEqual([undefined, 'tombstone']);
    expect((await look(store)).state).toBe('document');
    expect(await bed().db.collection('tidemark_tombstones').countDocuments()).toBe(0);
  });

  it('does not let a change be applied twice, in whichever group it comes again', async () => {
    const outcomes: unknown[] = [];
    const again = { id: 'first', fields: {}, change: 'first' };
    await commit(store, [{ id: 'a', fields: {}, change: 'new' }, again], {
      look: (snapshot) => outcomes.push(snapshot.outcome({ author: 'ada', id: 'first' } as never)?.kind),
    });
    expect(outcomes.at(-1)).toBe('applied');
    expect(await log()).toEqual(['first', 'new']);
  });

  it('does not get around a later lease that has moved no head', async () => {
    const other = await bed().open();
    await commit(store, [{ id: 'a', fields: {}, change: '1' }], { token: 1 });
    const superseded = { kind: 'superseded', author: 'bob', id: 'lost', timestamp: 1, committedAt: 2 } as const;
    await other.transact(
      {
        ...{ epoch: epoch1, lanes: [lane0], fences: [{ lane: lane0, token: 2 }] },
        ...{ documents: [refOf({ id: 'a' })], changes: [superseded as never] },
      },
      () => ({
        plan: { ...nothing, superseded: [{ ...superseded, ...refOf({ id: 'a' }) } as never] },
        result: undefined,
      }),
    );
    await expect(commit(store, [{ id: 'a', fields: {}, change: '3' }], { token: 1 })).rejects.toMatchObject({
      kind: 'fenced',
    });
    expect(await log()).toEqual(['first', '1']);
  });
});

describe('while MongoDB is away', () => {
  it('everything is unavailable, and soon after it is back everything works', async () => {
    proxy.cut();
    const attempts = [
      commit(store, [{ id: 'a', fields: {}, change: 'second' }]),
      store.check(),
      store.heads(epoch1),
      store.collections(),
      store.recordTide(5, 'token'),
    ];
    const results = await Promise.allSettled(attempts);
    expect(results).toEqual(
      attempts.map(() => ({
        status: 'rejected',
        reason: expect.objectContaining({ name: 'StoreError', kind: 'unavailable' }),
      })),
    );
    proxy.heal();
    await commit(store, [{ id: 'a', fields: {}, change: 'second' }]);
    await store.check();
    expect(await log()).toEqual(['first', 'second']);
  });

  it('a check says so within seconds', async () => {
    proxy.cut();
    const start = performance.now();
    await expect(store.check()).rejects.toMatchObject({ kind: 'unavailable' });
    expect(performance.now() - start).toBeLessThan(4_000);
  });

  it('a transaction that began before goes on afterwards', async () => {
    const held = proxy.hold('tidemark_log');
    const committing = commit(store, [{ id: 'a', fields: {}, change: 'second' }]);
    await held;
    proxy.cut();
    proxy.heal();
    expect(await committing).toBe(2);
    expect(await log()).toEqual(['first', 'second']);
  });
});

describe('two stores on one database', () => {
  it('give one lane one order, and none commits what the other one did', async () => {
    const other = await bed().open();
    const commits = Array.from({ length: 30 }, (_, n) => {
      const fields = n % 8 < 6 ? { n } : null;
      const write = { id: `d${n % 3}`, fields, change: `c${Math.floor(n / 2)}`, isExpectedNew: n % 5 === 0 };
      return commit(n % 2 ? store : other, [write]);
    });
    await Promise.all(commits);
    const entries = await store.readLog({ epoch: epoch1, lane: lane0, after: brandAs<Seq>(1), limit: 100 });
    expect(entries.map((entry) => entry.seq)).toEqual(Array.from({ length: 15 }, (_, n) => n + 2));
    expect(new Set(entries.map((entry) => entry.id)).size).toBe(15);
    for (const [index, entry] of entries.entries()) {
      const before = entries.slice(0, index).findLast((earlier) => earlier.key === entry.key);
      expect(entry.before).toEqual(before?.after ?? null);
    }
  });

  it('fence each other by the tokens of their leases', async () => {
    const other = await bed().open();
    await commit(store, [{ id: 'a', fields: {}, change: '1' }], { token: 1 });
    await commit(other, [{ id: 'a', fields: {}, change: '2' }], { token: 2 });
    await expect(commit(store, [{ id: 'a', fields: {}, change: '3' }], { token: 1 })).rejects.toMatchObject({
      kind: 'fenced',
    });
  });

  it('end the epoch of the one when the other is opened with more lanes', async () => {
    const other = await bed().open({ lanes: 4 });
    expect(other.history.epochs).toHaveLength(2);
    await expect(commit(store, [{ id: 'a', fields: {}, change: '2' }])).rejects.toMatchObject({ kind: 'stale_epoch' });
    expect(await log()).toEqual(['first']);
  });

  it('leave the lanes as they are when one is told to keep them', async () => {
    const other = await bed().open({ lanes: 4, keepLanes: true });
    expect(other.history).toEqual(store.history);
    await commit(store, [{ id: 'a', fields: {}, change: '2' }]);
    expect(await log()).toEqual(['first', '2']);
  });

  it('make one history when they are opened at once', async () => {
    const database = `${bed().db.databaseName}-fresh`;
    const stores = await Promise.all([1, 2, 3].map(() => bed().open({ database })));
    expect(new Set(stores.map(({ history }) => history.id)).size).toBe(1);
    await bed().db.client.db(database).dropDatabase();
  });
});

describe('a server that is killed', () => {
  it('has kept every commit that it acknowledged', async () => {
    const { process: server } = bed().server;
    if (!server) return expect(bed().server.description).toMatch(/MONGODB_URI|Docker/);
    const direct = await bed().open();
    const acked: string[] = [];
    let number = 0;
    const write = async () => {
      const change = `k${number++}`;
      await commit(direct, [{ id: change, fields: { number }, change }]);
      acked.push(change);
    };
    for (let round = 0; round < 3; round += 1) {
      const target = acked.length + 5;
      while (acked.length < target) await write();
      const interrupted = Promise.allSettled([write(), write()]);
      await server.kill();
      await server.restart();
      await interrupted;
    }
    const entries = await direct.readLog({ epoch: epoch1, lane: lane0, after: brandAs<Seq>(0), limit: 1_000 });
    expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1));
    expect(entries.map((entry) => entry.id)).toEqual(expect.arrayContaining(acked));
    expect(new Set(entries.map((entry) => entry.id)).size).toBe(entries.length);
  });
});
