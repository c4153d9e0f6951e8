import { EventEmitter, once } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { acquireExclusiveLease } from './exclusive-lease.ts';
import { commit } from './testing/sample-plans.ts';
import { useTestBed } from './testing/test-bed.ts';

const bed = useTestBed();
const neverLost = () => {
  throw new Error('the lease was lost');
};
const alone = (holder: string, ttlMs = 600) => bed().open({ exclusive: { holder, ttlMs, onLost: neverLost } });
const row = () => bed().db.collection<{ _id: string; holder: string; token: string; expiresAt: Date }>('tidemark_meta');

describe('the lease of a server that is alone', () => {
  it('is refused to a second one, with what to do', async () => {
    await alone('host-1:4711');
    await expect(alone('host-2:4711')).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/host-1:4711.*REDIS_URL/),
    });
    expect(await row().findOne({ _id: 'exclusive' })).toMatchObject({ holder: 'host-1:4711' });
  });

  it('is given to one of several that come at once', async () => {
    const results = await Promise.allSettled([1, 2, 3].map((n) => alone(`host-${n}`)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is free at once when its store is closed', async () => {
    const first = await alone('first', 60_000);
    await first.close();
    await alone('second', 60_000);
    expect(await row().findOne({ _id: 'exclusive' })).toMatchObject({ holder: 'second' });
  });

  it('is given back by one that cannot be opened', async () => {
    await (await bed().open()).close();
    const history = bed().db.collection<{ _id: string }>('tidemark_meta');
    await history.updateOne({ _id: 'history' }, { $set: { format: 2 } });
    await expect(alone('old', 60_000)).rejects.toThrow('newer version');
    await history.updateOne({ _id: 'history' }, { $set: { format: 1 } });
    await alone('next', 60_000);
  });

  it('comes before everything else: one that is refused does not change the lanes', async () => {
    const first = await alone('first');
    const refused = bed().open({ lanes: 3, exclusive: { holder: 'second', ttlMs: 600, onLost: neverLost } });
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable' });
    await commit(first, [{ id: 'a', fields: {}, change: 'a' }]);
    expect((await bed().open({ keepLanes: true })).history).toEqual(first.history);
  });

  it('passes on from a server that died', async () => {
    const expiresAt = new Date(Date.now() + 700);
    await row().insertOne({ _id: 'exclusive', holder: 'dead', token: 'old', expiresAt });
    await alone('next', 2_000);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime());
    expect(await row().findOne({ _id: 'exclusive' })).toMatchObject({ holder: 'next' });
  });

  it('is renewed beyond its time', async () => {
    await alone('first', 600);
    const { expiresAt } = (await row().findOne({ _id: 'exclusive' }))!;
    await expect(alone('second', 600)).rejects.toMatchObject({ kind: 'unavailable' });
    const renewed = (await row().findOne({ _id: 'exclusive' }))!;
    expect(renewed.expiresAt.getTime()).toBeGreaterThan(expiresAt.getTime());
  });

  it('tells its holder when another one has taken it', async () => {
    const events = new EventEmitter();
    const lost = once(events, 'lost');
    const exclusive = { holder: 'paused', ttlMs: 300, onLost: () => events.emit('lost') };
    const store = await bed().open({ exclusive });
    await row().updateOne({ _id: 'exclusive' }, { $set: { token: 'another', holder: 'another' } });
    await lost;
    await store.close();
    expect(await row().findOne({ _id: 'exclusive' })).toMatchObject({ holder: 'another' });
  });
});

it('asks once while a database that is away does not answer, so that closing waits for one answer', async () => {
  let giveUp: (error: Error) => void = () => undefined;
  const away = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  let asked = 0;
  const hello = async () => {
    asked += 1;
    return asked === 1 ? { localTime: new Date() } : away;
  };
  const meta = {
    db: { admin: () => ({ command: hello }) },
    updateOne: async () => undefined,
    deleteOne: async () => 0,
  };
  jest.useFakeTimers();
  try {
    const held = await acquireExclusiveLease(meta as never, { holder: 'a', ttlMs: 300, onLost: neverLost });
    await jest.advanceTimersByTimeAsync(3_000);
    const released = held.release();
    giveUp(new Error('no primary'));
    await released;
    expect(asked).toBe(2);
  } finally {
    jest.useRealTimers();
  }
});
