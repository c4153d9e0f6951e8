import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ScriptedSocket } from '../test/scripted-socket.ts';
import { settle } from '../test/settle.ts';
import { TabWorld } from '../test/tab-world.ts';
import { type Client, createClient } from './client.ts';

let socket: ScriptedSocket;
let client: Client;

beforeEach(() => {
  socket = new ScriptedSocket();
  client = createClient({ url: 'http://x', auth: { userId: 'ann' }, socket: socket.factory });
});

afterEach(async () => await client.close());

const filters = (of: Client = client) => of.inspect().subscriptions.map(({ filter }) => filter);

describe('a name', () => {
  it('is taken from those who hold the subscription under it, not from others who hold it, too', async () => {
    const unnamed = await client.subscribe('tasks', 'n == 1');
    const named = await client.subscribe('tasks', 'n == 1', [], { name: 'shown' });
    const otherwise = await client.subscribe('tasks', 'n == 1', [], { name: 'listed' });
    await client.subscribe('tasks', 'n == 2', [], { name: 'shown' });
    expect([unnamed, named, otherwise].map(({ state }) => state.kind)).toEqual(['pending', 'superseded', 'pending']);
    expect(filters()).toEqual(['n == 1', 'n == 2']);
    await unnamed.unsubscribe();
    await otherwise.unsubscribe();
    expect(filters()).toEqual(['n == 2']);
  });

  it('ends what the last holder had under it', async () => {
    const unnamed = await client.subscribe('tasks', 'n == 1');
    await client.subscribe('tasks', 'n == 1', [], { name: 'shown' });
    await unnamed.unsubscribe();
    expect(unnamed.name).toBeUndefined();
    await client.subscribe('tasks', 'n == 2', [], { name: 'shown' });
    expect(filters()).toEqual(['n == 2']);
  });

  it('is not taken from another tab', async () => {
    const world = new TabWorld();
    const [one, two] = [await world.open(), await world.open()];
    const held = await two.client.subscribe('tasks', 'n == 1', [], { name: 'shown' });
    await world.flow();
    await one.client.subscribe('tasks', 'n == 1', [], { name: 'shown' });
    await one.client.subscribe('tasks', 'n == 2', [], { name: 'shown' });
    await world.flow();
    expect(held.state.kind).toBe('complete');
    expect(filters(two.client)).toEqual(['n == 1', 'n == 2']);
    await world.end();
  });
});

describe('a listener of states', () => {
  it('that throws hinders neither the client nor the others', async () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    const subscription = await client.subscribe('tasks');
    const states: string[] = [];
    subscription.onState(() => {
      throw new Error('mine');
    });
    subscription.onState(({ kind }) => states.push(kind));
    socket.accept();
    await settle();
    expect(client.status.connection).toBe('catchingUp');
    expect(states).toEqual(['bootstrapping']);
    expect(logged).toHaveBeenCalledTimes(1);
    await client.close();
    logged.mockRestore();
  });
});
