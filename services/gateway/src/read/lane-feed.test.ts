import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { brandAs, type Entry, type Seq } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';
import { silentTelemetry } from '@tidemark/telemetry';
import type { FeedMessage } from '@tidemark/transport';
import fc from 'fast-check';
import { MemoryHistory } from '../testing/memory-history.ts';
import { LaneFeed } from './lane-feed.ts';

const seq = (value: number) => brandAs<Seq>(value);
const quiet = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

function rig({
  committed = 10,
  position = 0,
  delay,
}: {
  committed?: number;
  position?: number;
  delay?: () => Promise<void>;
} = {}) {
  const history = new MemoryHistory(delay ? { delay } : {});
  const entries = Array.from({ length: committed }, () => history.commit({ operation: 'insert', id: 'd1' })!);
  const passed: Entry[] = [];
  const lost: number[] = [];
  const telemetry = silentTelemetry();
  const feed = new LaneFeed({
    log: history,
    telemetry,
    epoch: history.epoch.epoch,
    lane: 0,
    position: seq(position),
    recentBytes: 1_000_000,
    onEntries: (list) => passed.push(...list),
    onLost: () => lost.push(feed.position),
  });
  const message = (from: number, to: number, head = to): FeedMessage => ({
    epoch: history.epoch.epoch,
    lane: brandAs(0),
    head: seq(head),
    entries: entries.slice(from - 1, to),
  });
  const seqs = () => passed.map((entry) => Number(entry.seq));
  return { history, feed, message, seqs, lost, entries };
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('a lane of the feed', () => {
  it('passes on what follows, and asks nobody', () => {
    const { feed, message, seqs, history } = rig();
    feed.receive(message(1, 3));
    feed.receive(message(4, 4));
    expect(seqs()).toEqual(upTo(4));
    expect(feed.position).toBe(4);
    expect(history.calls.readLog).toBeUndefined();
  });

  it('drops what is repeated, whole or in part', () => {
    const { feed, message, seqs, history } = rig();
    feed.receive(message(1, 3));
    feed.receive(message(1, 3));
    feed.receive(message(2, 5));
    expect(seqs()).toEqual(upTo(5));
    expect(history.calls.readLog).toBeUndefined();
  });

  it('reads from the log what has not come', async () => {
    const { feed, message, seqs } = rig({ committed: 6 });
    feed.receive(message(1, 2));
    feed.receive(message(5, 6));
    await quiet();
    expect(seqs()).toEqual(upTo(6));
  });

  it('reads from the log what a heartbeat tells of', async () => {
    const { feed, message, seqs } = rig();
    feed.receive(message(1, 0, 10));
    await quiet();
    expect(seqs()).toEqual(upTo(10));
  });

  it('ignores heartbeats that tell nothing new', async () => {
    const { feed, message, history } = rig({ position: 10 });
    feed.receive(message(1, 0, 10));
    feed.receive(message(1, 0, 4));
    await quiet();
    expect(history.calls.readLog).toBeUndefined();
    expect(feed.position).toBe(10);
  });

  it('passes each on once while the log is read and messages go on coming', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { feed, message, seqs } = rig({ committed: 8, delay: () => gate });
    feed.receive(message(3, 4));
    feed.receive(message(1, 2));
    feed.receive(message(5, 8));
    expect(seqs()).toEqual([]);
    release();
    await quiet();
    expect(seqs()).toEqual(upTo(8));
  });

  it('keeps what it passed on', () => {
    const { feed, message, entries } = rig();
    feed.receive(message(1, 4));
    expect(feed.recent.after(seq(1), 10)).toEqual(entries.slice(1, 4));
  });

  it('goes by one order whatever the network does', async () => {
    const span = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 5 }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(span, fc.boolean()), { maxLength: 25 }), async (sent) => {
        const { feed, message, seqs } = rig({ committed: 30 });
        for (const [[from, more], pause] of sent) {
          feed.receive(message(from, Math.min(from + more, 30)));
          if (pause) await quiet();
        }
        feed.receive(message(1, 0, 30));
        await quiet();
        expect(seqs()).toEqual(upTo(30));
      }),
    );
  });

  describe('when the store is away', () => {
    beforeEach(() => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it('tries again, less and less often, and goes on when it is back', async () => {
      const { feed, message, seqs, history } = rig({ committed: 4 });
      const away = () => history.faults.push(new StoreError('unavailable', 'away'));
      away();
      feed.receive(message(3, 4));
      await quiet();
      for (const waits of [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]) {
        const calls = history.calls.readLog;
        away();
        await jest.advanceTimersByTimeAsync(waits - 1);
        expect(history.calls.readLog).toBe(calls);
        await jest.advanceTimersByTimeAsync(1);
        expect(history.calls.readLog).toBe(calls! + 1);
      }
      history.faults.length = 0;
      await jest.advanceTimersByTimeAsync(2_000);
      expect(seqs()).toEqual(upTo(4));
    });

    it('takes what comes by itself meanwhile', async () => {
      const { feed, message, seqs, history } = rig();
      history.faults.push(new StoreError('unavailable', 'away'));
      feed.receive(message(3, 4));
      await quiet();
      feed.receive(message(1, 2));
      feed.receive(message(3, 5));
      expect(seqs()).toEqual(upTo(5));
      const calls = history.calls.readLog;
      await jest.advanceTimersByTimeAsync(5_000);
      expect(history.calls.readLog).toBe(calls);
    });

    it('asks no more once it is stopped', async () => {
      const { feed, message, history } = rig();
      history.faults.push(new StoreError('unavailable', 'away'));
      feed.receive(message(3, 4));
      await quiet();
      feed.stop();
      await jest.advanceTimersByTimeAsync(5_000);
      expect(history.calls.readLog).toBe(1);
      expect(jest.getTimerCount()).toBe(0);
    });
  });

  it('jumps when the log no longer holds what follows, and says so', async () => {
    const { feed, message, seqs, lost, history } = rig();
    feed.receive(message(1, 2));
    history.trim(0, 7);
    feed.receive(message(9, 9));
    await quiet();
    expect(lost).toEqual([9]);
    expect(seqs()).toEqual([1, 2]);
    expect(feed.recent.after(seq(1), 10)).toBeUndefined();
    feed.receive(message(10, 10));
    expect(seqs()).toEqual([1, 2, 10]);
  });
});
