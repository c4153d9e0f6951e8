import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TabWorld, titles } from './tab-world.ts';

let world: TabWorld;

beforeEach(() => {
  world = new TabWorld();
});

afterEach(() => world.end());

const serverWrites = (...ids: string[]) => {
  for (const id of ids) {
    world.server.change('ben', {
      id: `ben-${id}`,
      operation: 'insert',
      collection: id.startsWith('n') ? 'notes' : 'tasks',
      documentId: id,
      data: { title: id },
    });
  }
};

const fits = async () => {
  world.store.isFull = false;
  world.clock.advance(6_000);
  await world.flow();
};

describe('a local store that is full', () => {
  it('makes a first load fail with that code in every tab, and lets it complete when there is room', async () => {
    serverWrites('a', 'b', 'c', 'd', 'e');
    const [leader, follower] = [await world.open(), await world.open()];
    const own = await leader.client.subscribe('tasks');
    await world.flow();
    const other = await follower.client.subscribe('tasks');
    await world.flow();
    expect([own.state.kind, other.state.kind]).toEqual(['complete', 'complete']);
    world.store.isFull = true;
    const states: string[] = [];
    const notes = await leader.client.subscribe('notes');
    notes.onState(({ kind }) => states.push(kind));
    const refused = expect(notes.ready()).rejects.toMatchObject({ code: 'store_full' });
    serverWrites('n1');
    await world.flow();
    await refused;
    expect(notes.state).toMatchObject({ kind: 'error', code: 'store_full' });
    // The other one is stored, and only what has changed since is not.
    expect([own.state.kind, other.state.kind]).toEqual(['complete', 'complete']);
    expect((await world.store.load()).documents.map(({ key }) => key).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    await fits();
    expect(notes.state).toEqual({ kind: 'complete' });
    expect([states.includes('error'), states.at(-1)]).toEqual([true, 'complete']);
    expect((await world.store.load()).documents).toHaveLength(6);
  });

  it('tells the other tabs, too', async () => {
    const [leader, follower] = [await world.open(), await world.open()];
    const subscription = await follower.client.subscribe('tasks');
    world.store.onWritten = () => {
      world.store.isFull = true;
    };
    serverWrites('a');
    await world.flow();
    expect(subscription.state).toMatchObject({ kind: 'error', code: 'store_full' });
    expect(leader.client.inspect().subscriptions).toMatchObject([{ state: { kind: 'error', code: 'store_full' } }]);
    world.store.onWritten = () => {};
    await fits();
    expect(subscription.state).toEqual({ kind: 'complete' });
    expect([await titles(leader), await titles(follower)]).toEqual([['a'], ['a']]);
  });

  it('refuses writes, and sends what was kept before', async () => {
    const tab = await world.open();
    await tab.client.subscribe('tasks');
    await world.flow();
    tab.client.pause();
    await tab.client.collection('tasks').insert({ _id: 'kept', title: 'kept' });
    world.store.isFull = true;
    await expect(tab.client.collection('tasks').insert({ _id: 'x', title: 'x' })).rejects.toMatchObject({
      name: 'ClientError',
      code: 'store_full',
    });
    expect(await titles(tab)).toEqual(['kept']);
    tab.client.resume();
    await world.flow();
    expect(world.server.documents('tasks').map(({ _id }) => _id)).toEqual(['kept']);
    await fits();
    await tab.client.collection('tasks').insert({ _id: 'y', title: 'y' });
    await world.flow();
    expect(await titles(tab)).toEqual(['kept', 'y']);
    expect(tab.client.status).toMatchObject({ pending: 0, optimistic: 0 });
  });

  it('is free again when what did not fit is given back', async () => {
    const tab = await world.open();
    const room = world.store;
    const write = room.write.bind(room);
    room.write = async (batch) => {
      room.isFull = batch.putDocuments.length > 2;
      await write(batch).finally(() => {
        room.isFull = false;
      });
    };
    serverWrites('a', 'b', 'c', 'd');
    const subscription = await tab.client.subscribe('tasks');
    await world.flow();
    expect(subscription.state).toMatchObject({ code: 'store_full' });
    await expect(tab.client.collection('tasks').insert({ _id: 'x' })).rejects.toMatchObject({ code: 'store_full' });
    const ending = expect(subscription.unsubscribe()).rejects.toMatchObject({
      name: 'ClientError',
      code: 'store_full',
    });
    await world.flow();
    await ending;
    await tab.client.collection('tasks').insert({ _id: 'x', title: 'x' });
    await world.flow();
    expect(world.server.documents('tasks').map(({ _id }) => _id)).toContain('x');
  });
});
