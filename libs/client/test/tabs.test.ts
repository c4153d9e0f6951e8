import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SettledWrite } from '../src/events.ts';
import { settle } from './settle.ts';
import { TabWorld, titles } from './tab-world.ts';

let world: TabWorld;
const openTab = () => world.open();
const flow = () => world.flow();

beforeEach(() => {
  world = new TabWorld();
});

afterEach(() => world.end());

/** The result, once all that it needs has flowed. */
async function flowing<T>(promise: Promise<T>): Promise<T> {
  await flow();
  return await promise;
}

describe('several tabs', () => {
  it('have one connection, and all see the same', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    world.benInserts('a', 'hello');
    const subscription = await follower.client.subscribe('tasks');
    await flow();
    expect(subscription.state).toEqual({ kind: 'complete' });
    expect([await titles(leader), await titles(follower)]).toEqual([['hello'], ['hello']]);
    expect([leader.network.link === undefined, follower.network.link === undefined]).toEqual([false, true]);
    expect(follower.client.status).toMatchObject({ connection: 'live', connected: true });
  });

  it('send what any of them writes, and tell it what became of it', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    await follower.client.subscribe('tasks');
    await flow();
    const heard: SettledWrite[] = [];
    follower.client.on('settled', (settled) => heard.push(settled));
    const writing = follower.client.collection('tasks').insert({ _id: 'x', title: 'from the follower' });
    expect(await titles(follower)).toEqual(['from the follower']);
    await flow();
    const write = await writing;
    expect(await write.settled()).toMatchObject({ outcome: 'applied' });
    expect(heard).toHaveLength(1);
    expect(world.server.documents('tasks')).toMatchObject([{ _id: 'x', _updated_by: 'ann' }]);
    expect(await titles(leader)).toEqual(['from the follower']);
    expect(follower.client.status).toMatchObject({ pending: 0, optimistic: 0 });
  });

  it('tell each other what was taken back', async () => {
    const [, follower] = [await openTab(), await openTab()];
    await follower.client.subscribe('tasks');
    await flow();
    const heard: unknown[] = [];
    follower.client.on('compensated', (write) => heard.push(write));
    void follower.client.collection('tasks').insert({ _id: 'x', title: 'bad', forbidden: true });
    await flow();
    expect(heard).toMatchObject([{ outcome: 'rejected', code: 'forbidden', documentId: 'x' }]);
    expect(await titles(follower)).toEqual([]);
  });

  it('lose nothing when the leader dies before it has answered a write', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    await follower.client.subscribe('tasks');
    await flow();
    const writing = follower.client.collection('tasks').insert({ _id: 'x', title: 'survives' });
    leader.die();
    await flow();
    const write = await writing;
    expect(await write.settled()).toMatchObject({ outcome: 'applied' });
    expect(await titles(follower)).toEqual(['survives']);
    expect(world.server.committed.filter(({ documentId }) => documentId === 'x')).toHaveLength(1);
  });

  it('know what the leader had written when it died before it could tell', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    await leader.client.subscribe('tasks');
    await flow();
    const unseen: unknown[] = [];
    follower.client
      .collection('tasks')
      .query()
      .observe(({ documents }) => unseen.push(documents.length));
    world.store.onWritten = () => {
      world.store.onWritten = () => {};
      leader.die();
    };
    void leader.client.collection('tasks').insert({ _id: 'x', title: 'stored only' });
    await flow();
    expect(await titles(follower)).toEqual(['stored only']);
    expect(world.server.documents('tasks')).toMatchObject([{ _id: 'x' }]);
    expect(unseen.at(-1)).toBe(1);
  });

  it('go on with a sent write of a dead leader without writing it twice', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    await follower.client.subscribe('tasks');
    await flow();
    void leader.client.collection('tasks').insert({ _id: 'x', title: 'once' });
    await settle();
    leader.network.up();
    expect(world.server.documents('tasks')).toHaveLength(1);
    leader.die();
    await flow();
    expect(world.server.committed.filter(({ documentId }) => documentId === 'x')).toHaveLength(1);
    expect(follower.client.status).toMatchObject({ pending: 0, optimistic: 0, connection: 'live' });
    expect(await titles(follower)).toEqual(['once']);
  });

  it('keep a subscription that one of them still holds', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    world.benInserts('a', 'kept');
    const own = await leader.client.subscribe('tasks');
    const other = await follower.client.subscribe('tasks');
    await flow();
    await own.unsubscribe();
    await flow();
    expect([await titles(leader), await titles(follower)]).toEqual([['kept'], ['kept']]);
    void other.unsubscribe();
    await flow();
    expect([await titles(leader), await titles(follower)]).toEqual([[], []]);
  });

  it('refuse a write for which the store has no room, and show it no longer', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    await follower.client.subscribe('tasks');
    await flow();
    world.store.isFull = true;
    const writing = follower.client.collection('tasks').insert({ _id: 'x', title: 'too much' });
    const refused = expect(writing).rejects.toMatchObject({ code: 'store_full' });
    await flow();
    await refused;
    expect([await titles(leader), await titles(follower)]).toEqual([[], []]);
    expect(world.server.documents('tasks')).toEqual([]);
    world.store.isFull = false;
    world.clock.advance(6_000);
    await flow();
  });

  it('obey a pause from any of them, also when another one leads later', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    follower.client.pause();
    await flow();
    expect([leader.client.status.connection, follower.client.status.connection]).toEqual(['paused', 'paused']);
    leader.die();
    await flow();
    expect(follower.client.status.connection).toBe('paused');
    follower.client.resume();
    await flow();
    expect(follower.client.status.connection).toBe('live');
  });

  it('can wait for the server from any of them', async () => {
    const [, follower] = [await openTab(), await openTab()];
    await follower.client.subscribe('tasks');
    await flow();
    world.benInserts('a', 'new');
    let isDone = false;
    void follower.client.waitForSync().then(() => {
      isDone = true;
    });
    await flow();
    expect(isDone).toBe(true);
    expect(await titles(follower)).toEqual(['new']);
  });

  it('hear that everything is here when it is, though the disk is slow', async () => {
    const [, follower] = [await openTab(), await openTab()];
    const write = world.store.write.bind(world.store);
    world.store.write = async (batch) => {
      for (let turn = 0; turn < 4; turn++) await settle();
      await write(batch);
    };
    world.benInserts('a');
    const subscription = await flowing(follower.client.subscribe('tasks'));
    const ready = subscription.ready().then(() => titles(follower));
    expect(await flowing(ready)).toEqual(['a']);
    world.benInserts('b');
    const inSync = follower.client.waitForSync().then(() => titles(follower));
    expect(await flowing(inSync)).toEqual(['a', 'b']);
  });

  it('do not take the answer to an earlier question for their own', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    await flowing(follower.client.subscribe('tasks'));
    void leader.client.waitForSync();
    await settle();
    leader.network.up();
    world.benInserts('a');
    const inSync = follower.client.waitForSync().then(() => titles(follower));
    leader.network.down();
    expect(await flowing(inSync)).toEqual(['a']);
  });

  it('start where the others stand', async () => {
    const first = await openTab();
    await first.client.subscribe('tasks');
    await first.client.collection('tasks').insert({ _id: 'x', title: 'there' });
    await flow();
    const late = await openTab();
    expect(await titles(late)).toEqual(['there']);
    expect(late.client.status.connection).toBe('live');
    expect(late.client.inspect().subscriptions.map(({ state }) => state.kind)).toEqual(['complete']);
  });

  it('hand the connection on when the leader is closed', async () => {
    const [leader, follower] = [await openTab(), await openTab()];
    await follower.client.subscribe('tasks');
    await flow();
    await world.close(leader);
    await follower.client.collection('tasks').insert({ _id: 'x', title: 'after' });
    await flow();
    expect(follower.client.status).toMatchObject({ connection: 'live', pending: 0 });
    expect(world.server.documents('tasks')).toHaveLength(1);
  });
});
