import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { MessageSizes } from './message-sizes.ts';

function watched(maxBytes: number) {
  const sizes = new MessageSizes(maxBytes);
  const source = new EventEmitter();
  sizes.watch(source);
  const receive = (data: unknown, type = 'message') => source.emit('packet', { type, data });
  return { receive, take: () => sizes.take(source) };
}

const small = '2["a"]';
const large = `2["${'x'.repeat(20)}"]`;

describe('MessageSizes', () => {
  it('names the event that was too large among those of one poll, not its neighbours', () => {
    const { receive, take } = watched(20);
    for (const data of [small, large, small, large, small]) receive(data);
    expect([1, 2, 3, 4, 5].map(take)).toEqual([false, true, false, true, false]);
  });

  it('counts bytes, not characters', () => {
    const { receive, take } = watched(20);
    receive(`2["${'é'.repeat(7)}"]`);
    receive(`2["${'é'.repeat(8)}"]`);
    expect([take(), take()]).toEqual([false, true]);
  });

  it('counts an attachment to the event that it belongs to', () => {
    const { receive, take } = watched(20);
    receive(small);
    receive('51-["a",{"_placeholder":true,"num":0}]'.slice(0, 20));
    receive(Buffer.alloc(21));
    receive(small);
    expect([take(), take(), take()]).toEqual([false, true, false]);
  });

  it('lets nothing else count as an event', () => {
    const { receive, take } = watched(20);
    receive(`0{"token":"${'x'.repeat(30)}"}`);
    receive('x'.repeat(30), 'ping');
    receive(small);
    expect(take()).toBe(false);
  });
});
