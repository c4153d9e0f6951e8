import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { useTestBed } from './testing/test-bed.ts';

const bed = useTestBed();
const neverLost = () => {
  throw new Error('the lease was lost');
};
const lease = (holder: string, ttlMs = 600) => ({ holder, ttlMs, onLost: neverLost });
const row = () => bed().db.collection<{ _id: string; holder: string; token: string; expiresAt: Date }>('tidemark_meta');

describe('the lease of a server that is alone', () => {
  it('is refused to a second one, with what to do', async () => {
    const [first, second] = [await bed().open(), await bed().open()];
    await first.acquireExclusiveLease(lease('host-1:4711'));
    const refused = second.acquireExclusiveLease(lease('host-2:4711'));
    await expect(refused).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/host-1:4711.*REDIS_URL/),
    });
    expect(await row().findOne({ _id: 'exclusive' })).toMatchObject({ holder: 'host-1:4711' });
  });

  it('is given to one of several that come at once', async () => {
    const stores = await Promise.all([1, 2, 3].map(() => bed().open()));
    const results = await Promise.allSettled(stores.map((store, n) => store.acquireExclusiveLease(lease(`host-${n}`))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is free at once when it was released, or its store closed', async () => {
    const [first, second, third] = [await bed().open(), await bed().open(), await bed().open()];
    const held = await first.acquireExclusiveLease(lease('first', 60_000));
    await held.release();
    await held.release();
    await second.acquireExclusiveLease(lease('second', 60_000));
    await second.close();
    await third.acquireExclusiveLease(lease('third', 60_000));
    expect(await row().findOne({ _id: 'exclusive' })).toMatchObject({ holder: 'third' });
  });

  it('passes on from a server that died', async () => {
    const store = await bed().open();
    const expiresAt = new Date(Date.now() + 700);
    await row().insertOne({ _id: 'exclusive', holder: 'dead', token: 'old', expiresAt });
    await store.acquireExclusiveLease(lease('next', 2_000));
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime());
    expect(await row().findOne({ _id: 'exclusive' })).toMatchObject({ holder: 'next' });
  });

  it('is renewed beyond its time', async () => {
    const [first, second] = [await bed().open(), await bed().open()];
    await first.acquireExclusiveLease(lease('first', 600));
    const { expiresAt } = (await row().findOne({ _id: 'exclusive' }))!;
    await expect(second.acquireExclusiveLease(lease('second', 600))).rejects.toMatchObject({ kind: 'unavailable' });
    const renewed = (await row().findOne({ _id: 'exclusive' }))!;
    expect(renewed.expiresAt.getTime()).toBeGreaterThan(expiresAt.getTime());
  });

  it('tells its holder when another one has taken it', async () => {
    const store = await bed().open();
    const events = new EventEmitter();
    const lost = once(events, 'lost');
    await store.acquireExclusiveLease({ ...lease('paused', 300), onLost: () => events.emit('lost') });
    await row().updateOne({ _id: 'exclusive' }, { $set: { token: 'another', holder: 'another' } });
    await lost;
    await store.close();
    expect(await row().findOne({ _id: 'exclusive' })).toMatchObject({ holder: 'another' });
  });
});
