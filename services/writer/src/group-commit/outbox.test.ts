import { describe, expect, it } from '@jest/globals';
import { brandAs, type Entry, type Epoch } from '@tidemark/protocol';
import type { Bus } from '@tidemark/transport';
import { createInProcessBus } from '@tidemark/transport/inprocess';
import { insert, job, request } from '../testing/changes.ts';
import { Outbox, type PublishOptions, publishOutbox } from './outbox.ts';
import { PendingJob } from './pending-job.ts';

const epoch = brandAs<Epoch>(1);
const entry = (lane: number, seq: number) => ({ lane, seq, id: `c${lane}:${seq}` }) as unknown as Entry;

function answered(): PendingJob {
  const pending = new PendingJob(job([request([insert({})])]), { resolve: () => undefined, reject: () => undefined });
  pending.answer(0, 0, [{ kind: 'applied' } as never]);
  return pending;
}

type Calls = Partial<Pick<Bus, 'publishFeed' | 'publishReply'>>;

/** A bus that says what was asked of it, and fails or waits as told. */
function options(calls: Calls, timeoutMs = 1_000) {
  const asked: string[] = [];
  const failures: string[] = [];
  const real = createInProcessBus();
  const bus = {
    publishFeed: (message: Parameters<Bus['publishFeed']>[0]) => {
      asked.push(`feed ${message.lane}@${message.head}`);
      return (calls.publishFeed ?? ((sent) => real.publishFeed(sent)))(message);
    },
    publishReply: (...args: Parameters<Bus['publishReply']>) => {
      asked.push('reply');
      return (calls.publishReply ?? ((...sent) => real.publishReply(...sent)))(...args);
    },
  } as Bus;
  const spec: PublishOptions = { bus, timeoutMs, onFailure: (error, what) => failures.push(`${what}: ${error}`) };
  return { spec, asked, failures };
}

describe('an outbox', () => {
  it('has one message per commit and lane, in order, with the head', () => {
    const outbox = new Outbox(epoch);
    outbox.addEntries([]);
    outbox.addEntries([entry(0, 1), entry(0, 2)]);
    outbox.addEntries([entry(0, 3), entry(2, 1), entry(0, 4)]);
    expect(outbox.feeds).toMatchObject([
      { epoch, lane: 0, head: 2, entries: [{ seq: 1 }, { seq: 2 }] },
      { epoch, lane: 0, head: 4, entries: [{ seq: 3 }, { seq: 4 }] },
      { epoch, lane: 2, head: 1, entries: [{ seq: 1 }] },
    ]);
  });

  it('takes only jobs that are answered whole and have not failed', () => {
    const outbox = new Outbox(epoch);
    const half = new PendingJob(job([request([insert({})])]), { resolve: () => undefined, reject: () => undefined });
    outbox.addJob(half);
    half.fail(new Error('away'));
    half.answer(0, 0, [{ kind: 'applied' } as never]);
    outbox.addJob(half);
    outbox.addJob(answered());
    expect(outbox.jobs).toHaveLength(1);
  });
});

describe('publishing', () => {
  function full(): Outbox {
    const outbox = new Outbox(epoch);
    outbox.addEntries([entry(0, 1)]);
    outbox.addEntries([entry(1, 5)]);
    outbox.addJob(answered());
    return outbox;
  }

  it('begins with everything at once, feeds first, and ends when all of it is out', async () => {
    let release: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { spec, asked } = options({ publishFeed: () => gate });
    let done = false;
    const publishing = publishOutbox(full(), spec).then(() => {
      done = true;
    });
    await new Promise(setImmediate);
    expect(asked).toEqual(['feed 0@1', 'feed 1@5', 'reply']);
    expect(done).toBe(false);
    release?.();
    await publishing;
  });

  it('tells of failures and goes on', async () => {
    const fail = async () => {
      throw new Error('no bus');
    };
    const { spec, asked, failures } = options({ publishFeed: fail, publishReply: fail });
    await publishOutbox(full(), spec);
    expect(asked).toEqual(['feed 0@1', 'feed 1@5', 'reply']);
    expect(failures).toEqual(['feed: Error: no bus', 'feed: Error: no bus', 'reply: Error: no bus']);
  });

  it('waits no longer than the time given for either', async () => {
    const never = () => new Promise<void>(() => undefined);
    const { spec, asked } = options({ publishFeed: never, publishReply: never }, 1);
    await publishOutbox(full(), spec);
    expect(asked).toEqual(['feed 0@1', 'feed 1@5', 'reply']);
  });
});
