import { describe, expect, it, jest } from '@jest/globals';
import type { Entry, Position } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';
import { silentTelemetry } from '@tidemark/telemetry';
import { FeedNetwork } from '../testing/feed-network.ts';
import { MemoryHistory } from '../testing/memory-history.ts';
import { Random } from '../testing/random.ts';
import { currentEpoch, Feed } from './feed.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

class Listener {
  readonly start: Position;
  readonly entries: Entry[] = [];
  losses = 0;

  constructor(start: Position) {
    this.start = start;
  }

  onEntries(entries: readonly Entry[]): void {
    this.entries.push(...entries);
  }

  onLost(): void {
    this.losses++;
  }
}

function rig(lanes = 2) {
  const history = new MemoryHistory({ lanes, delay: async () => void (await turn()) });
  const network = new FeedNetwork(new Random(1), { drop: 0, twice: 0, swap: 0 });
  const outdated = jest.fn();
  const feed = new Feed({
    log: history,
    history: history.history,
    bus: network,
    telemetry: silentTelemetry(),
    recentBytes: 100_000,
    onOutdated: outdated,
  });
  const write = (id: string) => network.publish(history.commit({ operation: 'insert', id })!);
  const deliver = () => {
    while (!network.isEmpty) network.step();
  };
  return { history, network, feed, outdated, write, deliver, start: () => feed.start((start) => new Listener(start)) };
}

describe('the feed', () => {
  it('tells once that writers have begun a later epoch', async () => {
    const { feed, history, network, outdated, start } = rig();
    await start();
    history.startEpoch(3);
    network.beat(history.position());
    network.beat(history.position());
    while (!network.isEmpty) network.step();
    expect(outdated).toHaveBeenCalledTimes(1);
    await feed.stop();
  });

  it('starts at the heads, and passes on what is written meanwhile, all of it after the start of its listener', async () => {
    const { history, feed, write, deliver, start, network } = rig();
    for (const id of ['a', 'b', 'c']) write(id);
    const starting = start();
    for (const id of ['d', 'e', 'f', 'g']) {
      write(id);
      deliver();
      await turn();
    }
    const listener = await starting;
    network.beat(history.position());
    await feed.reach(history.position());
    for (const lane of [0, 1]) {
      const seqs = listener.entries.filter((entry) => entry.lane === lane).map((entry) => Number(entry.seq));
      const from = listener.start.seqs[lane]!;
      expect(seqs).toEqual(
        Array.from({ length: history.position().seqs[lane]! - from }, (_, index) => from + 1 + index),
      );
    }
    expect(feed.position()).toEqual(history.position());
  });

  it('reaches what is committed and has not come', async () => {
    const { history, feed, write, start } = rig();
    const listener = await start();
    for (const id of ['a', 'b', 'c']) write(id);
    await feed.reach(await feed.readHeads());
    expect(listener.entries).toHaveLength(3);
    await feed.reach(history.position());
  });

  it('wakes those who wait also when what they wait for is lost', async () => {
    const { history, feed, write, start } = rig(1);
    const listener = await start();
    for (const id of ['a', 'b', 'c']) write(id);
    history.trim(0, 2);
    await feed.reach(history.position());
    expect(listener.losses).toBe(1);
    expect(feed.position()).toEqual(history.position());
  });

  it('takes no notice of another epoch', async () => {
    const { history, feed, write, network, start } = rig(1);
    const listener = await start();
    network.beat({ epoch: 7 as Position['epoch'], seqs: [99 as Position['seqs'][number]] });
    write('a');
    await feed.reach(history.position());
    expect(listener.entries).toHaveLength(1);
  });

  it('is deaf once it is stopped', async () => {
    const { feed, write, deliver, start } = rig(1);
    const listener = await start();
    await feed.stop();
    write('a');
    deliver();
    await turn();
    expect(listener.entries).toHaveLength(0);
  });
});

describe('currentEpoch', () => {
  it('is the last one', () => {
    const history = new MemoryHistory({ lanes: 2 });
    history.startEpoch(5);
    expect(currentEpoch(history.history)).toMatchObject({ epoch: 2, lanes: 5 });
  });

  it('must exist', () => {
    const { id } = new MemoryHistory().history;
    expect(() => currentEpoch({ id, epochs: [] })).toThrow(StoreError);
  });
});
