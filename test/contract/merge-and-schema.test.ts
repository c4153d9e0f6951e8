import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { TestClient } from '../rig/client.ts';
import { startServer, type TestServer } from '../rig/server.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

const rules = `
collections:
  fields:
    read: true
    insert: true
    update: true
    delete: true
    merge: field
  checked:
    read: true
    insert: true
    update: true
    delete: true
    schema:
      type: object
      required: [title]
      properties:
        title: { type: string, maxLength: 10 }
`;
let server: TestServer;
let alice: TestClient;
let bob: TestClient;

beforeAll(async () => {
  server = await startServer({ rules });
  alice = await server.user('alice');
  bob = await server.user('bob');
});
afterAll(() => server[Symbol.asyncDispose]());

const change = (client: TestClient, collection: string, documentId: string, more: object) =>
  client.call('sync:change', { operation: 'update', collection, documentId, ...more });

describe('merge: field', () => {
  it('two offline edits of different fields both survive, whatever arrives first', async () => {
    const reader = await server.user('reader');
    await reader.subscribe('fields');
    await change(alice, 'fields', 'a', { operation: 'insert', data: { title: 'x', done: false }, timestamp: 1_000 });
    await change(bob, 'fields', 'a', { data: { done: true }, timestamp: 3_000 });
    const late = await change(alice, 'fields', 'a', { data: { title: 'y' }, timestamp: 2_000 });
    expect(late).toMatchObject({ success: true, outcome: 'applied' });
    const lost = await change(alice, 'fields', 'a', { data: { done: false }, timestamp: 2_500 });
    expect(lost).toMatchObject({ success: false, outcome: 'superseded', current: { title: 'y', done: true } });
    await reader.mark();
    expect(reader.view.get('fields', 'a')).toMatchObject({ title: 'y', done: true, sync_updated_at: 3_000 });
    const other = await server.user('other');
    await other.subscribe('fields');
    expect(other.view.documents('fields')).toEqual(reader.view.documents('fields'));
  });

  it('an insert writes every given field, and nothing internal is ever sent', async () => {
    const reader = await server.user('reader');
    await reader.subscribe('fields');
    await change(alice, 'fields', 'b', { operation: 'insert', data: { x: 1, y: 1 }, timestamp: 1_000 });
    await change(bob, 'fields', 'b', { operation: 'insert', data: { y: 2 }, timestamp: 2_000 });
    await reader.mark();
    expect(reader.view.get('fields', 'b')).toMatchObject({ x: 1, y: 2 });
    const allowed = ['_id', 'sync_updated_at', '_updated_by', 'sync_version', 'x', 'y'];
    for (const { data } of reader.deliveries()) {
      expect(Object.keys(data ?? {}).filter((name) => !allowed.includes(name))).toEqual([]);
    }
    expect(JSON.stringify(reader.received)).not.toContain('_sync_');
  });
});

describe('a schema', () => {
  it('refuses what breaks it with schema_violation, and nothing is written', async () => {
    const insert = (documentId: string, data: object) =>
      change(alice, 'checked', documentId, { operation: 'insert', data });
    for (const data of [{}, { title: 5 }, { title: 'far too long for it' }]) {
      expect(await insert('a', data)).toMatchObject({ success: false, outcome: 'rejected', code: 'schema_violation' });
    }
    expect(await insert('a', { title: 'fine' })).toMatchObject({ success: true });
    const broken = await change(alice, 'checked', 'a', { unset: ['title'], data: {} });
    expect(broken).toMatchObject({ success: false, code: 'schema_violation' });
    const { changes } = await alice.call('sync:get_changes', { collection: 'checked' });
    expect(changes).toMatchObject([{ documentId: 'a', data: { title: 'fine' } }]);
  });

  it('aborts an atomic batch', async () => {
    const changes = [
      { operation: 'insert', collection: 'checked', documentId: 'x', data: { title: 'ok' } },
      { operation: 'insert', collection: 'checked', documentId: 'y', data: {} },
    ];
    const answer = await alice.call('sync:changeBatch', { changes, atomic: true });
    expect(answer.success).toBe(false);
    expect(answer.results.map(({ code }) => code)).toEqual(['atomic_aborted', 'schema_violation']);
  });
});
