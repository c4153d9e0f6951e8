import { describe, expect, it } from '@jest/globals';
import { SyncError } from '@tidemark/protocol';
import { silentTelemetry } from '@tidemark/telemetry';
import { type Door, refusal } from '../doors/door.ts';
import { FakeSocket } from '../testing/fake-socket.ts';
import { Connection } from './connection.ts';
import { Dispatcher } from './dispatcher.ts';

const reworded: Door = {
  kind: 'open',
  handle: () => Promise.reject(new SyncError('invalid_message', 'the words of today')),
  reword: (error) => new SyncError(error.code, 'the words of old'),
  refuse: refusal,
};

function rig() {
  const socket = new FakeSocket('s');
  const connection = new Connection(socket.asSocket, { identity: undefined, slowClientBytes: 1_000, now: 0 });
  const dispatcher = new Dispatcher({
    doors: { reworded },
    joinSilently: async () => undefined,
    telemetry: silentTelemetry(),
    now: () => 0,
  });
  const send = (callback?: (answer: unknown) => void) =>
    dispatcher.dispatch(connection, { name: 'reworded', payload: {}, callback, oversized: false });
  return { socket, send };
}

describe('an error that old clients know by its words', () => {
  it('has them in the answer', async () => {
    const { send } = rig();
    const answers: unknown[] = [];
    await send((answer) => answers.push(answer));
    expect(answers).toEqual([{ success: false, code: 'invalid_message', error: 'the words of old' }]);
  });

  it('has them in the event too, when there is no callback', async () => {
    const { socket, send } = rig();
    await send();
    const error = { event: 'reworded', code: 'invalid_message', error: 'the words of old' };
    expect(socket.take()).toEqual({ event: 'sync:error', args: [error] });
  });
});
