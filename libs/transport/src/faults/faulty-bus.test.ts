import { describe, expect, it } from '@jest/globals';
import { createRecorder, feed, gateway, reply } from '../conformance/index.ts';
import { createInProcessBus } from '../inprocess/index.ts';
import { type BusFate, type BusFaults, createFaultyBus } from './faulty-bus.ts';

/** Feeds with heads 1 … 4 through the plan; what arrives before the feed with head 99, which always does. */
async function heads(plan: (head: number) => BusFate, expected: number): Promise<readonly number[]> {
  const bus = createFaultyBus(createInProcessBus(), { feed: ({ head }) => (head === 99 ? 'deliver' : plan(head)) });
  const seen = createRecorder<number>();
  await bus.subscribeFeed((message) => seen.add(message.head));
  for (const head of [1, 2, 3, 4, 99]) await bus.publishFeed(feed(head));
  await seen.reached(expected + 1);
  await bus.close();
  return seen.items;
}

describe('createFaultyBus', () => {
  it('delivers what the plan lets through', async () => {
    expect(await heads(() => 'deliver', 4)).toEqual([1, 2, 3, 4, 99]);
  });

  it('drops', async () => {
    expect(await heads((head) => (head % 2 === 0 ? 'drop' : 'deliver'), 2)).toEqual([1, 3, 99]);
  });

  it('repeats', async () => {
    expect(await heads((head) => (head === 2 ? 'twice' : 'deliver'), 5)).toEqual([1, 2, 2, 3, 4, 99]);
  });

  it('delays, so that later ones overtake', async () => {
    expect(await heads((head) => (head === 1 ? { delayMs: 5 } : 'deliver'), 4)).toEqual([2, 3, 4, 99, 1]);
  });

  it('loses what is still delayed when it closes', async () => {
    const inner = createInProcessBus();
    const bus = createFaultyBus(inner, { feed: () => ({ delayMs: 60_000 }) });
    const seen = createRecorder<number>();
    await bus.subscribeFeed((message) => seen.add(message.head));
    await bus.publishFeed(feed(1));
    await bus.close();
    expect(seen.items).toEqual([]);
    await expect(inner.check()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('plans replies by themselves', async () => {
    const faults: BusFaults = {
      reply: (message, to) => (to === 'a' && message.job === 'lost' ? 'drop' : 'twice'),
    };
    const bus = createFaultyBus(createInProcessBus(), faults);
    const seen = createRecorder<string>();
    await bus.subscribeReplies(gateway('a'), (message) => seen.add(message.job));
    await bus.publishReply(gateway('a'), reply('lost'));
    await bus.publishReply(gateway('a'), reply('kept'));
    expect(await seen.reached(2)).toEqual(['kept', 'kept']);
    await bus.check();
    await bus.close();
  });
});
