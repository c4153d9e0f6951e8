import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Millis } from '@tidemark/protocol';
import type { Lease, Leases } from '../port.ts';
import { eventually } from './recorder.ts';

/** Fresh leases and their processes. */
export interface LeasesRig {
  /** The leases as a process of its own holds them. Closed by the suite. */
  connect(): Promise<Leases>;
  /** Lets the time of the leases pass. */
  pass(ms: Millis): Promise<void>;
  close(): Promise<void>;
}

/** What every Leases must do. */
export function describeLeases(name: string, open: () => Promise<LeasesRig>): void {
  describe(`Leases: ${name}`, () => {
    let rig: LeasesRig;
    let all: Leases[];
    beforeEach(async () => {
      rig = await open();
      all = [];
    });
    afterEach(async () => {
      await Promise.all(all.map((leases) => leases.close()));
      await rig.close();
    });
    const connect = async () => {
      const leases = await rig.connect();
      all.push(leases);
      return leases;
    };
    const context: Context = { connect, pass: (ms) => rig.pass(ms) };
    describe('one lease', () => leaseCases(context));
    describe('holders', () => holderCases(context));
  });
}

interface Context {
  connect(): Promise<Leases>;
  pass(ms: Millis): Promise<void>;
}

const long = 60_000;
const short = 400;

async function acquired(leases: Leases, name: string, holder: string, ttlMs = long): Promise<Lease> {
  const lease = await leases.acquire(name, holder, ttlMs);
  if (lease === undefined) throw new Error(`${holder} did not get ${name}`);
  return lease;
}

function leaseCases({ connect, pass }: Context): void {
  it('gives a name to one holder at a time, over processes', async () => {
    const [left, right] = [await connect(), await connect()];
    await acquired(left, 'lane-1', 'left');
    expect(await right.acquire('lane-1', 'right', long)).toBeUndefined();
    await acquired(right, 'lane-10', 'right');
  });

  it('gives one lease when many ask at once', async () => {
    const processes = await Promise.all(Array.from({ length: 8 }, connect));
    const got = await Promise.all(processes.map((leases, index) => leases.acquire('lane', `holder-${index}`, long)));
    expect(got.filter((lease) => lease !== undefined).length).toBe(1);
  });

  it('lets the next one in after a release, with a greater token', async () => {
    const [left, right] = [await connect(), await connect()];
    const first = await acquired(left, 'lane', 'left');
    await first.release();
    await first.release();
    const second = await acquired(right, 'lane', 'right');
    expect(second.token).toBeGreaterThan(first.token);
    expect(Number.isSafeInteger(second.token)).toBe(true);
    await first.release();
    expect(await left.acquire('lane', 'left', long)).toBeUndefined();
  });

  it('gives a token that is greater than one that was seen elsewhere', async () => {
    const leases = await connect();
    const seen = Date.now() + 3_600_000;
    const first = await leases.acquire('lane', 'left', long, seen);
    expect(first?.token).toBe(seen + 1);
    await first?.release();
    expect((await acquired(leases, 'lane', 'left')).token).toBeGreaterThan(seen + 1);
  });

  it('ends by itself, and lets the next one in with a greater token', async () => {
    const [left, right] = [await connect(), await connect()];
    const first = await acquired(left, 'lane', 'left', short);
    expect(await right.acquire('lane', 'right', long)).toBeUndefined();
    await pass(short + 50);
    const second = await acquired(right, 'lane', 'right');
    expect(second.token).toBeGreaterThan(first.token);
    expect(await first.renew()).toBe(false);
    await first.release();
    expect(await second.renew()).toBe(true);
  });

  it('lasts while it is renewed', async () => {
    const [left, right] = [await connect(), await connect()];
    const lease = await acquired(left, 'lane', 'left', short);
    for (let round = 0; round < 6; round += 1) {
      await pass(short / 4);
      expect(await lease.renew()).toBe(true);
    }
    expect(await right.acquire('lane', 'right', long)).toBeUndefined();
  });

  it('is lost when it has run out, though nobody else took it', async () => {
    const leases = await connect();
    const lease = await acquired(leases, 'lane', 'left', short);
    await pass(short + 50);
    expect(await lease.renew()).toBe(false);
    expect(await lease.renew()).toBe(false);
    expect((await acquired(leases, 'lane', 'left')).token).toBeGreaterThan(lease.token);
  });

  it('gives a restarted holder its name again, and takes it from its former self', async () => {
    const [before, after] = [await connect(), await connect()];
    const old = await acquired(before, 'lane', 'same');
    const fresh = await acquired(after, 'lane', 'same');
    expect(fresh.token).toBeGreaterThan(old.token);
    expect(await old.renew()).toBe(false);
    await old.release();
    expect(await fresh.renew()).toBe(true);
  });

  it('is not renewed after its release', async () => {
    const leases = await connect();
    const lease = await acquired(leases, 'lane', 'left');
    await lease.release();
    expect(await lease.renew()).toBe(false);
  });

  it('grows tokens without end', async () => {
    const leases = await connect();
    const tokens: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      const lease = await acquired(leases, 'lane', `holder-${round}`);
      tokens.push(lease.token);
      await lease.release();
    }
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
  });
}

function holderCases({ connect, pass }: Context): void {
  it('shows who is alive, in order, to every process', async () => {
    const [left, right] = [await connect(), await connect()];
    expect(await left.holders()).toEqual([]);
    await right.announce('writer-b', long);
    await left.announce('writer-a', long);
    await left.announce('writer-a', long);
    expect(await left.holders()).toEqual(['writer-a', 'writer-b']);
    expect(await right.holders()).toEqual(['writer-a', 'writer-b']);
  });

  it('forgets who does not announce itself again', async () => {
    const leases = await connect();
    await leases.announce('gone', short);
    await leases.announce('alive', long);
    expect(await leases.holders()).toEqual(['alive', 'gone']);
    await pass(short + 50);
    expect(await leases.holders()).toEqual(['alive']);
    await leases.announce('gone', long);
    expect(await leases.holders()).toEqual(['alive', 'gone']);
  });

  it('takes an announcement back', async () => {
    const [left, right] = [await connect(), await connect()];
    await left.announce('a', long);
    await right.announce('b', long);
    await left.retire('a');
    await left.retire('a');
    await eventually(async () => (await right.holders()).join() === 'b');
  });

  it('does not give up the leases of one that retires', async () => {
    const [left, right] = [await connect(), await connect()];
    await left.announce('a', long);
    const lease = await acquired(left, 'lane', 'a');
    await left.retire('a');
    expect(await right.acquire('lane', 'b', long)).toBeUndefined();
    expect(await lease.renew()).toBe(true);
  });

  it('is unavailable when closed', async () => {
    const leases = await connect();
    await leases.close();
    await leases.close();
    await expect(leases.acquire('lane', 'a', long)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(leases.holders()).rejects.toMatchObject({ code: 'unavailable' });
  });
}
