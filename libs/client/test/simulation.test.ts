import { describe, expect, it } from '@jest/globals';
import { createClient } from '../src/client.ts';
import { ManualClock } from './manual-clock.ts';
import { settle } from './settle.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { SimulatedServer } from './simulated-server.ts';

describe('a client against the simulated server', () => {
  it('bootstraps, writes and sees its write come back', async () => {
    const clock = new ManualClock();
    const server = new SimulatedServer(() => clock.now());
    const network = new SimulatedNetwork(server);
    for (const title of ['a', 'b', 'c', 'd']) {
      server.change('other', {
        id: title,
        operation: 'insert',
        collection: 'tasks',
        documentId: title,
        data: { title },
      });
    }
    const client = createClient({
      url: '',
      auth: { userId: 'ann' },
      clock,
      random: Math.random,
      socket: network.factory,
    });
    const subscription = await client.subscribe('tasks');
    const flow = async () => {
      do await settle();
      while (network.flow());
    };
    await flow();
    expect(subscription.state).toEqual({ kind: 'complete' });
    expect(client.status.connection).toBe('live');
    expect(await client.collection('tasks').query().find()).toHaveLength(4);
    clock.advance(1);
    await client.collection('tasks').update('a', { title: 'A' });
    await flow();
    expect(client.status).toMatchObject({ pending: 0, optimistic: 0 });
    expect(await client.collection('tasks').get('a')).toMatchObject({ title: 'A', _updated_by: 'ann' });
    await client.close();
    expect(clock.timers).toBe(0);
  });
});
