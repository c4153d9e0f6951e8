import { afterEach, describe, expect, it } from '@jest/globals';
import { type Held, type LeasePlace, StoreLease } from './store-lease.ts';
import { isRunning, type StoreOwner, thisOwner } from './store-owner.ts';

/** A place that is nothing but a place: what is written there is there, at once. */
class MemoryPlace implements LeasePlace {
  held: Held | undefined;
  onRead: () => void = () => {};

  async read(): Promise<Held | undefined> {
    this.onRead();
    return this.held;
  }

  async take(owner: StoreOwner, from: Held | undefined): Promise<boolean> {
    if (this.held?.owner.token !== from?.owner.token) return false;
    this.held = { owner, beat: 0 };
    return true;
  }

  async beat({ token }: StoreOwner): Promise<void> {
    if (this.held?.owner.token === token) this.held = { ...this.held, beat: this.held.beat + 1 };
  }

  async release({ token }: StoreOwner): Promise<void> {
    if (this.held?.owner.token === token) this.held = undefined;
  }
}

const far = (token: string): StoreOwner => ({ ...thisOwner(token), scope: 'elsewhere boot pid', pid: 4_321 });
const leases: StoreLease[] = [];

function leaseOn(place: LeasePlace, token = 'mine', waits: number[] = []): StoreLease {
  const pause = async (ms: number) => void waits.push(ms);
  const lease = new StoreLease(place, thisOwner(token), { name: 'the store', beatMs: 400, silenceMs: 1_000, pause });
  leases.push(lease);
  return lease;
}

afterEach(async () => {
  for (const lease of leases.splice(0)) await lease.release();
});

describe('StoreLease', () => {
  it('is had by one at a time, and by the next when it is given back', async () => {
    const place = new MemoryPlace();
    const [first, second] = [leaseOn(place, 'first'), leaseOn(place, 'second')];
    await first.take();
    await expect(second.take()).rejects.toMatchObject({
      name: 'LocalStoreError',
      code: 'inUse',
      message: `the store is in use by process ${process.pid}: end it, or use another store or user`,
    });
    await first.release();
    await first.release();
    await second.take();
    expect(place.held?.owner.token).toBe('second');
    // It is not the first one's to give.
    await first.release();
    expect(place.held?.owner.token).toBe('second');
  });

  it('goes to one of several who ask at once', async () => {
    const place = new MemoryPlace();
    const results = await Promise.allSettled(['a', 'b', 'c'].map((token) => leaseOn(place, token).take()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('does not wait for a process that is gone', async () => {
    const place = new MemoryPlace();
    place.held = { owner: { ...thisOwner('dead'), startedAt: '1' }, beat: 0 };
    const waits: number[] = [];
    await leaseOn(place, 'mine', waits).take();
    expect([place.held.owner.token, waits]).toEqual(['mine', []]);
  });

  it('is refused while somebody elsewhere gives signs of life', async () => {
    const place = new MemoryPlace();
    place.held = { owner: far('theirs'), beat: 7 };
    let reads = 0;
    place.onRead = () => {
      reads += 1;
      if (reads === 3) place.held = { owner: far('theirs'), beat: 8 };
    };
    await expect(leaseOn(place).take()).rejects.toThrow('in use by process 4321 of elsewhere');
    expect(place.held.owner.token).toBe('theirs');
  });

  it('is taken from somebody elsewhere who is silent, after that time and no sooner', async () => {
    const place = new MemoryPlace();
    place.held = { owner: far('theirs'), beat: 7 };
    const waits: number[] = [];
    await leaseOn(place, 'mine', waits).take();
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(1_000);
    expect(place.held.owner.token).toBe('mine');
  });

  it('is free when the other one gives it back meanwhile, and refused when a third comes first', async () => {
    const place = new MemoryPlace();
    place.held = { owner: far('theirs'), beat: 7 };
    let reads = 0;
    place.onRead = () => {
      reads += 1;
      if (reads === 2) place.held = undefined;
    };
    const lease = leaseOn(place);
    await lease.take();
    expect(place.held).toMatchObject({ owner: { token: 'mine' } });
    await lease.release();
    reads = 0;
    place.held = { owner: far('theirs'), beat: 7 };
    place.onRead = () => {
      reads += 1;
      if (reads === 2) place.held = { owner: thisOwner('third'), beat: 0 };
    };
    await expect(leaseOn(place, 'late').take()).rejects.toMatchObject({ code: 'inUse' });
  });

  it('gives signs of life', async () => {
    const place = new MemoryPlace();
    const beaten = new Promise<void>((resolve) => {
      place.beat = async () => resolve();
    });
    const lease = new StoreLease(place, thisOwner('mine'), { name: 'the store', beatMs: 5 });
    leases.push(lease);
    await lease.take();
    await beaten;
  });
});

describe('a process', () => {
  it('is known by its number and its start, where numbers mean something', () => {
    const mine = thisOwner('a');
    expect(isRunning(mine, thisOwner('b'))).toBe(true);
    expect(isRunning({ ...mine, pid: 2 ** 30 }, mine)).toBe(false);
    expect(isRunning({ ...mine, startedAt: '1' }, mine)).toBe(false);
    expect(isRunning({ ...mine, startedAt: null }, mine)).toBeUndefined();
    expect(isRunning({ ...mine, startedAt: null, pid: 2 ** 30 }, mine)).toBe(false);
    expect(isRunning(far('a'), mine)).toBeUndefined();
  });
});
