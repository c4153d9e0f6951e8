import { describe, expect, it } from '@jest/globals';
import { silentTelemetry } from '@tidemark/telemetry';
import { FakeSocket } from '../testing/fake-socket.ts';
import { Connection } from './connection.ts';
import { Dispatcher } from './dispatcher.ts';

function rig() {
  const socket = new FakeSocket('s');
  const connection = new Connection(socket.asSocket, { identity: undefined, slowClientBytes: 1_000, now: 0 });
  return { socket, connection };
}

const turn = () => new Promise(setImmediate);

describe('a client that asks and does not read', () => {
  it('gets its large answers one by one, as it reads', async () => {
    const { socket, connection } = rig();
    let made = 0;
    const ask = () =>
      connection.answerLarge(async () => {
        made++;
        for (let packet = 0; packet < 4; packet++) socket.emit('page', 'x'.repeat(500));
      });
    const asked = [ask(), ask(), ask()];
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(made).toBe(1);
    while (socket.take() !== undefined);
    await asked[1];
    expect(made).toBe(2);
    connection.socket.disconnect(true);
    await expect(asked[2]).rejects.toMatchObject({ code: 'unavailable' });
    expect(made).toBe(2);
  });

  it('is cut off when what it was answered grows without end', async () => {
    const { socket, connection } = rig();
    const closed: unknown[] = [];
    Object.assign(socket.conn, { close: (discard: boolean) => closed.push(discard) });
    const ping = { kind: 'open', handle: async () => ({ answer: 'x' }), refuse: () => 'x' } as const;
    const dispatcher = new Dispatcher({
      doors: { ping },
      joinSilently: async () => undefined,
      telemetry: silentTelemetry(),
      now: () => 0,
    });
    const answers: unknown[] = [];
    const send = () =>
      dispatcher.dispatch(connection, {
        name: 'ping',
        payload: undefined,
        callback: (answer) => answers.push(answer),
        oversized: false,
      });
    await send();
    for (let packet = 0; packet < 5; packet++) socket.emit('page', 'x'.repeat(8 * 1024 * 1024));
    await send();
    expect({ answers, closed }).toEqual({ answers: ['x'], closed: [true] });
  });
});
