import { describe, expect, it, jest } from '@jest/globals';
import type { TestClient } from '../rig/client.ts';
import { WritingStage } from '../rig/stage.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

const stage = new WritingStage();
const { newId, stored } = stage;

describe('last write wins', () => {
  const write = (client: TestClient, id: string, more: Record<string, unknown>) =>
    client.call('sync:change', { operation: 'update', collection: 'tasks', documentId: id, ...more });

  it('an earlier change is superseded and gets the stored document', async () => {
    const id = newId();
    await write(stage.alice, id, { data: { a: 1 }, timestamp: 2_000 });
    const ack = await write(stage.bob, id, { data: { a: 2 }, timestamp: 1_000 });
    expect(ack).toMatchObject({ success: false, outcome: 'superseded', code: 'conflict' });
    expect(ack.error).toMatch(/^conflict: /);
    expect(ack.current).toEqual(await stored(id));
    expect(ack.current).toMatchObject({ _id: id, a: 1, sync_updated_at: 2_000, _updated_by: 'alice' });
  });

  it('at equal times the stored one stays, unless the author is the same', async () => {
    const id = newId();
    await write(stage.alice, id, { data: { a: 1 }, timestamp: 2_000 });
    expect(await write(stage.bob, id, { data: { a: 2 }, timestamp: 2_000 })).toMatchObject({ outcome: 'superseded' });
    expect(await write(stage.alice, id, { data: { a: 3 }, timestamp: 2_000 })).toMatchObject({ outcome: 'applied' });
    expect(await stored(id)).toMatchObject({ a: 3, sync_updated_at: 2_000 });
  });

  it('data.sync_updated_at counts where there is no timestamp, and timestamp comes first', async () => {
    const id = newId();
    await write(stage.alice, id, { data: { a: 1, sync_updated_at: 5_000 } });
    expect(await stored(id)).toMatchObject({ sync_updated_at: 5_000 });
    await write(stage.alice, id, { data: { a: 2, sync_updated_at: 1 }, timestamp: 6_000 });
    expect(await stored(id)).toMatchObject({ a: 2, sync_updated_at: 6_000 });
    expect(await write(stage.bob, id, { data: { a: 3, sync_updated_at: 4_000 } })).toMatchObject({
      outcome: 'superseded',
    });
  });

  it('without a time the stage.server gives one that wins', async () => {
    const id = newId();
    const ahead = Date.now() + 30_000;
    await write(stage.alice, id, { data: { a: 1 }, timestamp: ahead });
    expect(await write(stage.bob, id, { data: { a: 2 } })).toMatchObject({ outcome: 'applied' });
    expect((await stored(id))?.sync_updated_at).toBeGreaterThan(ahead);
  });

  it('a time too far ahead is clamped', async () => {
    const id = newId();
    await write(stage.alice, id, { data: { a: 1 }, timestamp: Date.now() + 10 * 86_400_000 });
    expect((await stored(id))?.sync_updated_at).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  it('what was deleted is not brought back by an update, and current is null; a later insert brings it back', async () => {
    const id = newId();
    await write(stage.alice, id, { data: { a: 1 }, timestamp: 1_000 });
    await write(stage.alice, id, { operation: 'delete', timestamp: 2_000 });
    const late = await write(stage.bob, id, { data: { a: 2 }, timestamp: 3_000 });
    expect(late).toMatchObject({ success: false, outcome: 'superseded', code: 'conflict', current: null });
    const earlier = await write(stage.bob, id, { operation: 'insert', data: { a: 3 }, timestamp: 1_500 });
    expect(earlier).toMatchObject({ outcome: 'superseded', current: null });
    const later = await write(stage.bob, id, { operation: 'insert', data: { a: 4 }, timestamp: 4_000 });
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
    const first = await stage.alice.call('sync:change', change(id));
    await stage.alice.write({ operation: 'update', collection: 'tasks', documentId: id, data: { n: 2 } });
    const again = await stage.alice.call('sync:change', change(id));
    expect(again).toMatchObject({ changeId: `c-${id}`, success: true, outcome: 'duplicate', seq: first.seq });
    expect(await stored(id)).toMatchObject({ n: 2 });
  });

  it('of another author is another change', async () => {
    const id = newId();
    await stage.alice.call('sync:change', change(id));
    expect(await stage.bob.call('sync:change', change(id))).toMatchObject({ outcome: 'applied' });
  });

  it('of a superseded one repeats success and code, with the document of today', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { n: 5 }, timestamp: 5_000 });
    const first = await stage.bob.call('sync:change', change(id, { timestamp: 1_000 }));
    expect(first).toMatchObject({ success: false, outcome: 'superseded', code: 'conflict', current: { n: 5 } });
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { n: 6 }, timestamp: 6_000 });
    const again = await stage.bob.call('sync:change', change(id, { timestamp: 1_000 }));
    expect(again).toMatchObject({ success: false, outcome: 'duplicate', code: 'conflict', current: { n: 6 } });
  });

  it('of a rejected one is decided anew', async () => {
    const id = newId();
    const bad = await stage.alice.call('sync:change', change(id, { data: { $bad: 1 } }));
    expect(bad).toMatchObject({ changeId: `c-${id}`, success: false, outcome: 'rejected' });
    expect(await stage.alice.call('sync:change', change(id))).toMatchObject({ success: true, outcome: 'applied' });
  });

  it('sent many times at once has one effect', async () => {
    const id = newId();
    const acks = await Promise.all(Array.from({ length: 20 }, () => stage.alice.call('sync:change', change(id))));
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
    const { seq = 0 } = await stage.alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    const next = await based(stage.bob, id, seq);
    expect(next).toMatchObject({ success: true, outcome: 'applied' });
    const late = await based(stage.alice, id, seq);
    expect(late).toMatchObject({ success: false, outcome: 'superseded', code: 'conflict' });
    expect(late.current).toMatchObject({ by: seq, sync_version: next.seq });
  });

  it('0 says that the document must not exist', async () => {
    const id = newId();
    expect(await based(stage.alice, id, 0)).toMatchObject({ success: true, outcome: 'applied' });
    expect(await based(stage.bob, id, 0)).toMatchObject({ success: false, outcome: 'superseded' });
  });

  it('without a version nothing is compared', async () => {
    const id = newId();
    await stage.alice.write({ collection: 'tasks', documentId: id, data: { a: 1 } });
    await stage.bob.write({ operation: 'update', collection: 'tasks', documentId: id, data: { a: 2 } });
    expect(await stored(id)).toMatchObject({ a: 2 });
  });
});
