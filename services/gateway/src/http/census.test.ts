import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Census, type CensusDeps, type Count, maxUsers } from './census.ts';

type Answer = (count: Count) => void;

/** The servers of a fleet as Socket.IO shows them to each other; `extra` are answers of none of ours. */
class Network {
  private readonly members: EventEmitter[] = [];
  readonly extra: unknown[] = [];
  silent = false;

  join(ownCount: () => Count): Census {
    const io = Object.assign(new EventEmitter(), { serverSideEmitWithAck: (event: string) => this.ask(io, event) });
    this.members.push(io);
    return new Census({ io: io as unknown as CensusDeps['io'], isFleet: true, ownCount });
  }

  private async ask(from: EventEmitter, event: string): Promise<unknown[]> {
    const responses = [...this.extra];
    for (const io of this.members.filter((member) => member !== from))
      io.emit(event, ((count) => responses.push(count)) satisfies Answer);
    if (this.silent) throw Object.assign(new Error('timeout reached'), { responses });
    return responses;
  }
}

const count = (connections: number, users: readonly string[], pending = 0): Count => ({ connections, users, pending });

describe('a census', () => {
  it('counts every gateway of the fleet, and each user once', async () => {
    const network = new Network();
    const census = network.join(() => count(2, ['a', 'b'], 1));
    network.join(() => count(3, ['b', 'c'], 4));
    network.join(() => count(0, []));
    expect(await census.take()).toEqual(count(5, ['a', 'b', 'c'], 5));
  });

  it('names no more users than one gateway would', async () => {
    const network = new Network();
    const names = (prefix: string) => Array.from({ length: maxUsers }, (_, n) => `${prefix}${n}`);
    const census = network.join(() => count(maxUsers, names('a')));
    network.join(() => count(maxUsers, names('b')));
    const all = await census.take();
    expect([all.connections, all.users.length]).toEqual([2 * maxUsers, maxUsers]);
  });

  it('does without those that do not answer, or answer something else', async () => {
    const network = new Network();
    const census = network.join(() => count(1, ['a']));
    network.join(() => count(1, ['b']));
    network.silent = true;
    network.extra.push(null, 7, { connections: 'many' });
    expect(await census.take()).toEqual(count(2, ['a', 'b']));
  });

  it('does not wait for an answer that never comes', async () => {
    const io = Object.assign(new EventEmitter(), { serverSideEmitWithAck: () => new Promise<never>(() => undefined) });
    const census = new Census({
      io: io as unknown as CensusDeps['io'],
      isFleet: true,
      ownCount: () => count(1, ['a']),
    });
    expect(await census.take()).toEqual(count(1, ['a']));
  });

  it('of a server that is one process asks nobody', async () => {
    const io = Object.assign(new EventEmitter(), {
      serverSideEmitWithAck: () => {
        throw new Error('asked');
      },
    });
    const deps = { io: io as unknown as CensusDeps['io'], isFleet: false, ownCount: () => count(1, ['a'], 2) };
    expect(await new Census(deps).take()).toEqual(count(1, ['a'], 2));
    expect(io.eventNames()).toEqual([]);
  });
});
