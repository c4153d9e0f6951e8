import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ackAll, ScriptedSocket } from '../test/scripted-socket.ts';
import { settle } from '../test/settle.ts';
import { type Client, createClient } from './client.ts';
import { Emitter } from './emitter.ts';
import type { ClientEvents } from './events.ts';
import { HybridClock } from './hybrid-clock.ts';
import { LocalDatabase } from './local/database.ts';
import { LocalWriter } from './local-writer.ts';

const write = { operation: 'update', collection: 'tasks', documentId: 'a', data: {}, unset: [] } as const;

describe('LocalWriter', () => {
  it('listens once for the words of the server, however many writes wait for one', async () => {
    let listeners = 0;
    const events = new (class extends Emitter<ClientEvents> {
      override on: Emitter<ClientEvents>['on'] = (name, listener) => {
        listeners += 1;
        return super.on(name, listener);
      };
    })(() => {});
    const database = new LocalDatabase(new HybridClock(() => 1), 'c1');
    const writer = new LocalWriter({ database, events, random: Math.random, maxPending: 10, flushed: async () => {} });
    const writes = [await writer.write(write), await writer.write(write)];
    for (const { changeId } of writes) events.emit('settled', { changeId, outcome: 'applied' });
    const outcomes = await Promise.all(writes.map((one) => one.settled()));
    expect(outcomes.map(({ changeId }) => changeId)).toEqual(writes.map(({ changeId }) => changeId));
    expect(listeners).toBe(1);
  });
});

describe('a write that waits for the local store', () => {
  it('is what it was when it was made', async () => {
    const client = createClient({ url: 'http://x', connect: false });
    const task = { _id: 'a', title: 'before', tags: ['x'] };
    const unset = ['note'];
    const inserting = client.collection('tasks').insert(task);
    const updating = client.collection('tasks').update('b', {}, { unset });
    task.title = 'after';
    task.tags.push('y');
    unset.push('title');
    await Promise.all([inserting, updating]);
    expect(client.outbox()).toMatchObject([{ data: { title: 'before', tags: ['x'] } }, { unset: ['note'] }]);
    await client.close();
  });
});

describe('a write that the stream and an ack both tell of', () => {
  let socket: ScriptedSocket;
  let client: Client;

  beforeEach(() => {
    socket = new ScriptedSocket();
    client = createClient({ url: 'http://x', auth: { userId: 'ann' }, socket: socket.factory });
  });

  afterEach(async () => await client.close());

  it('is settled once, also while it waits for another subscription', async () => {
    const settled: string[] = [];
    client.on('settled', ({ changeId }) => settled.push(changeId));
    await client.ready;
    socket.accept();
    socket.calls = [];
    // Not complete: the document may still come back into view.
    await client.subscribe('tasks', 'n == 2');
    const { changeId } = await client.collection('tasks').update('a', { n: 2 });
    await settle();
    const batch = socket.calls.find(({ event }) => event === 'sync:changeBatch');
    const left = { operation: 'delete', reason: 'left', collection: 'tasks', documentId: 'a', version: 2 };
    socket.emit('sync:changes', [{ ...left, id: changeId, userId: 'ann', timestamp: 1 }], { checkpoint: 'c1' });
    expect(settled).toEqual([changeId]);
    if (batch) ackAll(batch);
    expect(settled).toEqual([changeId]);
    expect(client.outbox().map(({ stage }) => stage)).toEqual(['applied']);
  });
});
