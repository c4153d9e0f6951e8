import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { TestClient } from '../rig/client.ts';
import { startServer, type TestServer } from '../rig/server.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

let server: TestServer;
let alice: TestClient;
let bob: TestClient;
let made = 0;

beforeAll(async () => {
  server = await startServer({ file: { sync: { enableOptimisticLocking: true } } });
  alice = await server.user('alice');
  bob = await server.user('bob');
});
afterAll(() => server[Symbol.asyncDispose]());

/** An id of its own for each test. */
const newId = () => `d${++made}`;

/** The document as anyone may read it; undefined when it does not exist. */
async function stored(documentId: unknown, collection = 'tasks'): Promise<Record<string, unknown> | undefined> {
  const { changes } = await bob.call('sync:get_changes', { collection, limit: 1_000 });
  const found = changes.filter((change) => JSON.stringify(change.documentId) === JSON.stringify(documentId));
  return found.at(-1)?.data;
}

describe('the shape of a change', () => {
  it('an insert creates the document with the metadata, and the ack says which change and when', async () => {
    const id = newId();
    const sent = Date.now();
    const ack = await alice.call('sync:change', {
      id: `c-${id}`,
      operation: 'insert',
      collection: 'tasks',
      documentId: id,
      data: { title: 'a', nested: { list: [1, null, 'x'] }, nothing: null },
    });
    expect(ack).toMatchObject({ changeId: `c-${id}`, success: true, outcome: 'applied' });
    expect(Math.abs(ack.timestamp - sent)).toBeLessThan(60_000);
    expect(typeof ack.lane).toBe('number');
    expect(ack.seq).toBeGreaterThan(0);
    expect(await stored(id)).toEqual({
      _id: id,
      title: 'a',
      nested: { list: [1, null, 'x'] },
      nothing: null,
      sync_updated_at: expect.any(Number),
      _updated_by: 'alice',
      sync_version: ack.seq,
    });
  });

  it('accepts collectionName and patchId of older clients', async () => {
    const id = newId();
    const change = { patchId: `p-${id}`, operation: 'insert', collectionName: 'tasks', documentId: id, data: { a: 1 } };
    expect(await alice.call('sync:change', change)).toMatchObject({ changeId: `p-${id}`, outcome: 'applied' });
    expect(await alice.call('sync:change', change)).toMatchObject({ changeId: `p-${id}`, outcome: 'duplicate' });
  });

  it('makes an id when there is none, and then a resend is a new change', async () => {
    const id = newId();
    const change = { operation: 'update', collection: 'tasks', documentId: id, data: { a: 1 } };
    const first = await alice.call('sync:change', change);
    const second = await alice.call('sync:change', change);
    expect(first.changeId).not.toBe('');
    expect(second.changeId).not.toBe(first.changeId);
    expect([first.outcome, second.outcome]).toEqual(['applied', 'applied']);
  });

  it('an insert replaces the whole document', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { a: 1, b: 2 } });
    await alice.write({ collection: 'tasks', documentId: id, data: { b: 3 } });
    const document = await stored(id);
    expect(document).toMatchObject({ b: 3 });
    expect(document).not.toHaveProperty('a');
  });

  it('an update merges top-level fields, keeps null as a value, and removes only through unset', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { a: { x: 1, y: 2 }, b: 2, c: 3, d: 4 } });
    await alice.write({
      operation: 'update',
      collection: 'tasks',
      documentId: id,
      data: { a: { x: 9 }, c: null },
      unset: ['d', 'never-there'],
    });
    const document = await stored(id);
    expect(document).toMatchObject({ a: { x: 9 }, b: 2, c: null });
    expect(document?.a).toEqual({ x: 9 });
    expect(document).not.toHaveProperty('d');
  });

  it('an update of what never existed creates it', async () => {
    const id = newId();
    await alice.write({ operation: 'update', collection: 'tasks', documentId: id, data: { a: 1 } });
    expect(await stored(id)).toMatchObject({ _id: id, a: 1 });
  });

  it('"upsert" means update', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { a: 1, b: 2 } });
    await alice.write({ operation: 'upsert', collection: 'tasks', documentId: id, data: { b: 3 } });
    expect(await stored(id)).toMatchObject({ a: 1, b: 3 });
  });

  it('another word is refused by sync:change', async () => {
    const ack = await alice.call('sync:change', { operation: 'replace', collection: 'tasks', documentId: newId() });
    expect(ack).toMatchObject({ success: false, outcome: 'rejected', code: 'invalid_message' });
  });

  it('a delete removes it, and deleting what is not there is no error', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    await alice.write({ operation: 'delete', collection: 'tasks', documentId: id });
    expect(await stored(id)).toBeUndefined();
    expect(await alice.write({ operation: 'delete', collection: 'tasks', documentId: newId() })).toMatchObject({
      outcome: 'applied',
    });
  });

  it.each([
    ['$ at the top', { $set: { a: 1 } }],
    ['$ deeper', { a: { b: [{ $gt: 1 }] } }],
    ['a dot at the top', { 'a.b': 1 }],
  ])('%s is invalid_document', async (_what, data) => {
    const id = newId();
    for (const operation of ['insert', 'update']) {
      const ack = await alice.call('sync:change', { operation, collection: 'tasks', documentId: id, data });
      expect(ack).toMatchObject({ success: false, outcome: 'rejected', code: 'invalid_document' });
    }
    expect(await stored(id)).toBeUndefined();
  });

  it.each(['$a', 'a.b'])('unset of %s is invalid_document', async (name) => {
    const change = { operation: 'update', collection: 'tasks', documentId: newId(), data: {}, unset: [name] };
    expect(await alice.call('sync:change', change)).toMatchObject({ success: false, code: 'invalid_document' });
  });

  it('a dot deeper down is a name like any other', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { map: { 'a.b': 1 } } });
    expect(await stored(id)).toMatchObject({ map: { 'a.b': 1 } });
  });

  it('the author is the user of the session, whatever the payload says, and metadata cannot be written', async () => {
    const id = newId();
    await alice.write({
      collection: 'tasks',
      documentId: id,
      userId: 'mallory',
      data: { a: 1, _updated_by: 'mallory', sync_version: 99 },
    });
    const document = await stored(id);
    expect(document).toMatchObject({ _updated_by: 'alice' });
    expect(document?.sync_version).not.toBe(99);
  });

  it('typed values and typed ids travel as Extended JSON, and strings stay strings', async () => {
    const data = {
      oid: { $oid: '0123456789abcdef01234567' },
      date: { $date: '2026-11-24T10:00:00Z' },
      decimal: { $numberDecimal: '1.10' },
      uuid: { $uuid: '01234567-89ab-cdef-0123-456789abcdef' },
      text: '0123456789abcdef01234567',
      day: '2026-11-24T10:00:00Z',
    };
    const typed = { $oid: 'aaaaaaaaaaaaaaaaaaaaaaaa' };
    await alice.write({ collection: 'typed', documentId: typed, data });
    await alice.write({ collection: 'typed', documentId: typed.$oid, data: { other: true } });
    const document = await stored(typed, 'typed');
    expect(document).toMatchObject({ _id: typed, ...data });
    expect(await stored(typed.$oid, 'typed')).toMatchObject({ _id: typed.$oid, other: true });
  });

  it('data may hold the id again, but not another one', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { _id: id, a: 1 } });
    const ack = await alice.call('sync:change', {
      operation: 'update',
      collection: 'tasks',
      documentId: id,
      data: { _id: 'other', a: 2 },
    });
    expect(ack).toMatchObject({ success: false, code: 'invalid_document' });
    expect(await stored(id)).toMatchObject({ a: 1 });
  });

  it.each([
    { collection: 'tasks' },
    { documentId: 'x' },
    {},
    { collection: '', documentId: 'x' },
    { collection: null, documentId: 'x' },
    { collection: 'tasks', documentId: null },
    { operation: undefined },
  ])('%j is refused with the words that old clients know', async (place) => {
    const ack = await alice.call('sync:change', { operation: 'insert', data: { a: 1 }, ...place });
    expect(ack).toMatchObject({ success: false, outcome: 'rejected', code: 'invalid_message' });
    expect(ack.error).toMatch(/^Missing collection or documentId/);
  });

  it.each(['tidemark_log', '_sync_state', 'system.users'])('the collection %s is closed', async (collection) => {
    const ack = await alice.call('sync:change', { operation: 'insert', collection, documentId: 'a', data: { a: 1 } });
    expect(ack).toMatchObject({ success: false, outcome: 'rejected', code: 'forbidden' });
  });
});

describe('last write wins', () => {
  const write = (client: TestClient, id: string, more: Record<string, unknown>) =>
    client.call('sync:change', { operation: 'update', collection: 'tasks', documentId: id, ...more });

  it('an earlier change is superseded and gets the stored document', async () => {
    const id = newId();
    await write(alice, id, { data: { a: 1 }, timestamp: 2_000 });
    const ack = await write(bob, id, { data: { a: 2 }, timestamp: 1_000 });
    expect(ack).toMatchObject({ success: false, outcome: 'superseded', code: 'conflict' });
    expect(ack.error).toMatch(/^conflict: /);
    expect(ack.current).toEqual(await stored(id));
    expect(ack.current).toMatchObject({ _id: id, a: 1, sync_updated_at: 2_000, _updated_by: 'alice' });
  });

  it('at equal times the stored one stays, unless the author is the same', async () => {
    const id = newId();
    await write(alice, id, { data: { a: 1 }, timestamp: 2_000 });
    expect(await write(bob, id, { data: { a: 2 }, timestamp: 2_000 })).toMatchObject({ outcome: 'superseded' });
    expect(await write(alice, id, { data: { a: 3 }, timestamp: 2_000 })).toMatchObject({ outcome: 'applied' });
    expect(await stored(id)).toMatchObject({ a: 3, sync_updated_at: 2_000 });
  });

  it('data.sync_updated_at counts where there is no timestamp, and timestamp comes first', async () => {
    const id = newId();
    await write(alice, id, { data: { a: 1, sync_updated_at: 5_000 } });
    expect(await stored(id)).toMatchObject({ sync_updated_at: 5_000 });
    await write(alice, id, { data: { a: 2, sync_updated_at: 1 }, timestamp: 6_000 });
    expect(await stored(id)).toMatchObject({ a: 2, sync_updated_at: 6_000 });
    expect(await write(bob, id, { data: { a: 3, sync_updated_at: 4_000 } })).toMatchObject({ outcome: 'superseded' });
  });

  it('without a time the server gives one that wins', async () => {
    const id = newId();
    const ahead = Date.now() + 30_000;
    await write(alice, id, { data: { a: 1 }, timestamp: ahead });
    expect(await write(bob, id, { data: { a: 2 } })).toMatchObject({ outcome: 'applied' });
    expect((await stored(id))?.sync_updated_at).toBeGreaterThan(ahead);
  });

  it('a time too far ahead is clamped', async () => {
    const id = newId();
    await write(alice, id, { data: { a: 1 }, timestamp: Date.now() + 10 * 86_400_000 });
    expect((await stored(id))?.sync_updated_at).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  it('what was deleted is not brought back by an update, and current is null; a later insert brings it back', async () => {
    const id = newId();
    await write(alice, id, { data: { a: 1 }, timestamp: 1_000 });
    await write(alice, id, { operation: 'delete', timestamp: 2_000 });
    const late = await write(bob, id, { data: { a: 2 }, timestamp: 3_000 });
    expect(late).toMatchObject({ success: false, outcome: 'superseded', code: 'conflict', current: null });
    const earlier = await write(bob, id, { operation: 'insert', data: { a: 3 }, timestamp: 1_500 });
    expect(earlier).toMatchObject({ outcome: 'superseded', current: null });
    const later = await write(bob, id, { operation: 'insert', data: { a: 4 }, timestamp: 4_000 });
    expect(later).toMatchObject({ outcome: 'applied' });
    expect(await stored(id)).toMatchObject({ a: 4 });
  });
});

describe('the same change again', () => {
  const change = (id: string, more: Record<string, unknown> = {}) => ({
    id: `c-${id}`,
    operation: 'update',
    collection: 'tasks',
    documentId: id,
    data: { n: 1 },
    ...more,
  });

  it('of an applied one is a duplicate, a success, and has no second effect', async () => {
    const id = newId();
    const first = await alice.call('sync:change', change(id));
    await alice.write({ operation: 'update', collection: 'tasks', documentId: id, data: { n: 2 } });
    const again = await alice.call('sync:change', change(id));
    expect(again).toMatchObject({ changeId: `c-${id}`, success: true, outcome: 'duplicate', seq: first.seq });
    expect(await stored(id)).toMatchObject({ n: 2 });
  });

  it('of another author is another change', async () => {
    const id = newId();
    await alice.call('sync:change', change(id));
    expect(await bob.call('sync:change', change(id))).toMatchObject({ outcome: 'applied' });
  });

  it('of a superseded one repeats success and code, with the document of today', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { n: 5 }, timestamp: 5_000 });
    const first = await bob.call('sync:change', change(id, { timestamp: 1_000 }));
    expect(first).toMatchObject({ success: false, outcome: 'superseded', code: 'conflict', current: { n: 5 } });
    await alice.write({ collection: 'tasks', documentId: id, data: { n: 6 }, timestamp: 6_000 });
    const again = await bob.call('sync:change', change(id, { timestamp: 1_000 }));
    expect(again).toMatchObject({ success: false, outcome: 'duplicate', code: 'conflict', current: { n: 6 } });
  });

  it('of a rejected one is decided anew', async () => {
    const id = newId();
    const bad = await alice.call('sync:change', change(id, { data: { $bad: 1 } }));
    expect(bad).toMatchObject({ changeId: `c-${id}`, success: false, outcome: 'rejected' });
    expect(await alice.call('sync:change', change(id))).toMatchObject({ success: true, outcome: 'applied' });
  });

  it('sent many times at once has one effect', async () => {
    const id = newId();
    const acks = await Promise.all(Array.from({ length: 20 }, () => alice.call('sync:change', change(id))));
    const outcomes = acks.map((ack) => ack.outcome);
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(19);
    expect(new Set(acks.map((ack) => ack.seq)).size).toBe(1);
  });
});

describe('optimistic locking', () => {
  const based = (client: TestClient, id: string, version: number) =>
    client.call('sync:change', {
      operation: 'update',
      collection: 'tasks',
      documentId: id,
      data: { by: version },
      version,
    });

  it('a change based on another version is superseded', async () => {
    const id = newId();
    const { seq = 0 } = await alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    const next = await based(bob, id, seq);
    expect(next).toMatchObject({ success: true, outcome: 'applied' });
    const late = await based(alice, id, seq);
    expect(late).toMatchObject({ success: false, outcome: 'superseded', code: 'conflict' });
    expect(late.current).toMatchObject({ by: seq, sync_version: next.seq });
  });

  it('0 says that the document must not exist', async () => {
    const id = newId();
    expect(await based(alice, id, 0)).toMatchObject({ success: true, outcome: 'applied' });
    expect(await based(bob, id, 0)).toMatchObject({ success: false, outcome: 'superseded' });
  });

  it('without a version nothing is compared', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    await bob.write({ operation: 'update', collection: 'tasks', documentId: id, data: { a: 2 } });
    expect(await stored(id)).toMatchObject({ a: 2 });
  });
});

describe('the oldest dialect', () => {
  it('mongoUpsert updates the document of query._id and answers "ok"', async () => {
    const id = newId();
    const message = {
      collection: 'tasks',
      query: { _id: id },
      update: { title: 'a', id: 'no-field', patchId: 'no-field', userId: 'no-field', sync_updated_at: 7_000 },
    };
    expect(await alice.ask('mongoUpsert', message)).toBe('ok');
    expect(await stored(id)).toEqual({
      _id: id,
      title: 'a',
      sync_updated_at: 7_000,
      _updated_by: 'alice',
      sync_version: expect.any(Number),
    });
  });

  it('takes update.id where there is no query', async () => {
    const id = newId();
    expect(await alice.ask('mongoUpsert', { collection: 'tasks', update: { id, title: 'b' } })).toBe('ok');
    expect(await stored(id)).toMatchObject({ _id: id, title: 'b' });
  });

  it('merges into what is there', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    await alice.ask('mongoUpsert', { collection: 'tasks', update: { b: 2 }, query: { _id: id } });
    expect(await stored(id)).toMatchObject({ a: 1, b: 2 });
  });

  it('answers "ok" also when it lost to a newer version', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { n: 1 }, timestamp: 9_000 });
    const lost = { collection: 'tasks', query: { _id: id }, update: { n: 2, sync_updated_at: 1_000 } };
    expect(await bob.ask('mongoUpsert', lost)).toBe('ok');
    expect(await stored(id)).toMatchObject({ n: 1 });
  });

  it('a patchId makes a resend harmless', async () => {
    const id = newId();
    const message = { collection: 'tasks', query: { _id: id }, update: { n: 1 }, patchId: `p-${id}` };
    expect(await alice.ask('mongoUpsert', message)).toBe('ok');
    await alice.write({ operation: 'update', collection: 'tasks', documentId: id, data: { n: 2 } });
    expect(await alice.ask('mongoUpsert', message)).toBe('ok');
    expect(await stored(id)).toMatchObject({ n: 2 });
  });

  it.each([
    ['no collection', { update: { a: 1 }, query: { _id: 'x' } }],
    ['no id', { collection: 'tasks', update: { a: 1 }, query: {} }],
    ['an operator', { collection: 'tasks', update: { $set: { a: 1 } }, query: { _id: 'x' } }],
    ['an operator as id', { collection: 'tasks', update: { a: 1 }, query: { _id: { $ne: null } } }],
    ['a closed collection', { collection: 'system.users', update: { a: 1 }, query: { _id: 'x' } }],
    ['nothing', undefined],
  ])('mongoUpsert with %s is answered "error"', async (_what, message) => {
    expect(await alice.ask('mongoUpsert', message)).toBe('error');
  });

  it('mongoDelete deletes and answers success', async () => {
    const id = newId();
    await alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    expect(await alice.ask('mongoDelete', { collection: 'tasks', query: { _id: id } })).toEqual({ success: true });
    expect(await stored(id)).toBeUndefined();
  });

  it.each([{}, { collection: 'tasks' }, { collection: 'tasks', query: {} }, { query: { _id: 'x' } }, null])(
    'mongoDelete of %j is answered "error"',
    async (message) => {
      expect(await alice.ask('mongoDelete', message)).toBe('error');
    },
  );

  it('mongoDelete that may not be is answered with the reason', async () => {
    expect(await alice.ask('mongoDelete', { collection: 'system.users', query: { _id: 'x' } })).toEqual({
      success: false,
      error: expect.any(String),
    });
  });
});
