import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bus, FeedMessage, WriteReply } from '../port.ts';
import { createRecorder, eventually } from './recorder.ts';
import { feed, gateway, reply } from './samples.ts';

/** One fresh bus and its processes. */
export interface BusRig {
  /** The bus as a process of its own holds it. Closed by the suite. */
  connect(): Promise<Bus>;
  /** Called after the buses are closed. */
  close(): Promise<void>;
}

/** What every Bus must do while nothing breaks: it may lose messages only when it does. */
export function describeBus(name: string, open: () => Promise<BusRig>): void {
  describe(`Bus: ${name}`, () => {
    const connect = useRig(open);
    describe('feed', () => feedCases(connect));
    describe('replies', () => replyCases(connect));
    describe('kinds and life', () => lifeCases(connect));
  });
}

type Connect = () => Promise<Bus>;

function useRig(open: () => Promise<BusRig>): Connect {
  let rig: BusRig;
  let buses: Bus[];
  beforeEach(async () => {
    rig = await open();
    buses = [];
  });
  afterEach(async () => {
    await Promise.all(buses.map((bus) => bus.close()));
    await rig.close();
  });
  return async () => {
    const bus = await rig.connect();
    buses.push(bus);
    return bus;
  };
}

const heads = (messages: readonly FeedMessage[]) => messages.map((message) => Number(message.head));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

function feedCases(connect: Connect): void {
  it('brings a message to every listener of every process, as it was sent', async () => {
    const [sender, left, right] = [await connect(), await connect(), await connect()];
    const recorders = [createRecorder<FeedMessage>(), createRecorder<FeedMessage>(), createRecorder<FeedMessage>()];
    await left.subscribeFeed((message) => recorders[0]!.add(message));
    await left.subscribeFeed((message) => recorders[1]!.add(message));
    await right.subscribeFeed((message) => recorders[2]!.add(message));
    const sent = feed(1, { text: 'Grüße \u0000 \u2028 漢字 🌊' });
    await sender.publishFeed(sent);
    for (const recorder of recorders) expect(await recorder.reached(1)).toEqual([sent]);
  });

  it('keeps the order of a publisher', async () => {
    const [sender, receiver] = [await connect(), await connect()];
    const seen = createRecorder<FeedMessage>();
    await receiver.subscribeFeed((message) => seen.add(message));
    for (const seq of upTo(150)) await sender.publishFeed(feed(seq));
    await Promise.all(
      upTo(300)
        .slice(150)
        .map((seq) => sender.publishFeed(feed(seq))),
    );
    expect(heads(await seen.reached(300))).toEqual(upTo(300));
  });

  it('carries heartbeats and messages of several megabytes', async () => {
    const [sender, receiver] = [await connect(), await connect()];
    const seen = createRecorder<FeedMessage>();
    await receiver.subscribeFeed((message) => seen.add(message));
    const big = feed(9, { text: '🌊'.repeat(1_000_000) });
    const heartbeat: FeedMessage = { ...feed(9), entries: [] };
    await sender.publishFeed(big);
    await sender.publishFeed(heartbeat);
    expect(await seen.reached(2)).toEqual([big, heartbeat]);
  });

  it('stops for the one that unsubscribes, not for others', async () => {
    const [sender, receiver] = [await connect(), await connect()];
    const [leaves, stays] = [createRecorder<FeedMessage>(), createRecorder<FeedMessage>()];
    const unsubscribe = await receiver.subscribeFeed((message) => leaves.add(message));
    await receiver.subscribeFeed((message) => stays.add(message));
    await sender.publishFeed(feed(1));
    await Promise.all([leaves.reached(1), stays.reached(1)]);
    await unsubscribe();
    await unsubscribe();
    await sender.publishFeed(feed(2));
    expect(heads(await stays.reached(2))).toEqual([1, 2]);
    expect(heads(leaves.items)).toEqual([1]);
  });

  it('never calls a listener from within publish', async () => {
    const bus = await connect();
    const seen = createRecorder<FeedMessage>();
    let publishing = false;
    let reentered = false;
    await bus.subscribeFeed((message) => {
      reentered ||= publishing;
      seen.add(message);
      if (message.head === 1) {
        publishing = true;
        void bus.publishFeed(feed(2));
        publishing = false;
      }
    });
    publishing = true;
    const published = bus.publishFeed(feed(1));
    publishing = false;
    await published;
    expect(heads(await seen.reached(2))).toEqual([1, 2]);
    expect(reentered).toBe(false);
  });

  it('goes on after a listener has thrown', async () => {
    const bus = await connect();
    const seen = createRecorder<FeedMessage>();
    await bus.subscribeFeed(() => {
      throw new Error('a broken listener');
    });
    await bus.subscribeFeed((message) => seen.add(message));
    await bus.publishFeed(feed(1));
    await bus.publishFeed(feed(2));
    expect(heads(await seen.reached(2))).toEqual([1, 2]);
  });
}

function replyCases(connect: Connect): void {
  it('brings a reply to its gateway only', async () => {
    const [sender, left, right] = [await connect(), await connect(), await connect()];
    const [mine, other] = [createRecorder<WriteReply>(), createRecorder<WriteReply>()];
    await left.subscribeReplies(gateway('a'), (message) => mine.add(message));
    await right.subscribeReplies(gateway('ab'), (message) => other.add(message));
    await sender.publishReply(gateway('a'), reply('job-1'));
    await sender.publishReply(gateway('ab'), reply('job-2'));
    expect(await mine.reached(1)).toEqual([reply('job-1')]);
    expect(await other.reached(1)).toEqual([reply('job-2')]);
    await sender.publishReply(gateway('a'), reply('job-3'));
    await mine.reached(2);
    expect(other.items.length).toBe(1);
  });

  it('loses a reply for which nobody listens, without an error', async () => {
    const [sender, receiver] = [await connect(), await connect()];
    await sender.publishReply(gateway('nobody'), reply('lost'));
    const seen = createRecorder<WriteReply>();
    const unsubscribe = await receiver.subscribeReplies(gateway('somebody'), (message) => seen.add(message));
    await unsubscribe();
    await sender.publishReply(gateway('somebody'), reply('late'));
    await receiver.subscribeReplies(gateway('somebody'), (message) => seen.add(message));
    await sender.publishReply(gateway('somebody'), reply('heard'));
    // A message that is on its way when one subscribes may still be heard (`late`), one for somebody else never.
    await eventually(() => seen.items.some((message) => message.job === 'heard'));
    expect(seen.items.filter((message) => message.job === 'lost')).toEqual([]);
  });

  it('keeps the order of replies and of what was published before them', async () => {
    const [sender, receiver] = [await connect(), await connect()];
    const seen = createRecorder<WriteReply>();
    await receiver.subscribeReplies(gateway('a'), (message) => seen.add(message));
    for (const number of upTo(50)) await sender.publishReply(gateway('a'), reply(`job-${number}`));
    expect((await seen.reached(50)).map((message) => String(message.job))).toEqual(upTo(50).map((n) => `job-${n}`));
  });
}

function lifeCases(connect: Connect): void {
  it('keeps the kinds apart', async () => {
    const [sender, receiver] = [await connect(), await connect()];
    const seen = createRecorder<string>();
    await receiver.subscribeFeed(() => seen.add('feed'));
    await receiver.subscribeReplies(gateway('a'), () => seen.add('reply'));
    await sender.publishFeed(feed(1));
    await seen.reached(1);
    await sender.publishReply(gateway('a'), reply('job'));
    expect(await seen.reached(2)).toEqual(['feed', 'reply']);
  });

  it('is checked, closes twice, and is unavailable afterwards', async () => {
    const bus = await connect();
    await bus.check();
    await bus.close();
    await bus.close();
    await expect(bus.check()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(bus.publishFeed(feed(1))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(bus.subscribeFeed(() => {})).rejects.toMatchObject({ code: 'unavailable' });
  });
}
