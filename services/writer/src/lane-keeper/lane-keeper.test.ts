import { describe, expect, it } from '@jest/globals';
import { brandAs, type Lane } from '@tidemark/protocol';
import { silentTelemetry } from '@tidemark/telemetry';
import type { Leases } from '@tidemark/transport';
import { createInProcessLeases } from '@tidemark/transport/inprocess';
import { until } from '../testing/rig.ts';
import { LaneKeeper, type ServeOptions } from './lane-keeper.ts';

const lanes = Array.from({ length: 8 }, (_, lane) => brandAs<Lane>(lane));
const { logger } = silentTelemetry();
const ttl = 1_000;

/** What a keeper serves, with a say in how long it takes to open and to close. */
class Services {
  readonly open = new Map<Lane, ServeOptions>();
  failing = false;
  asked = 0;
  opening: Promise<void> = Promise.resolve();
  closing: Promise<void> = Promise.resolve();
  readonly serve = async (lane: Lane, options: ServeOptions) => {
    if (this.failing) throw new Error('no queue');
    this.asked += 1;
    await this.opening;
    this.open.set(lane, options);
    return {
      close: async () => {
        await this.closing;
        this.open.delete(lane);
      },
    };
  };
}

class Clock {
  now = 0;
  readonly leases = createInProcessLeases({ clock: () => this.now });

  keeper(holder: string, leases: Leases = this.leases) {
    const services = new Services();
    const keeper = new LaneKeeper({ leases, holder, leaseTtlMs: ttl, lanes, logger, serve: services.serve });
    return { keeper, services };
  }
}

function gate() {
  let open: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open };
}

describe('a lane keeper', () => {
  it('alone takes every lane in its first tick', async () => {
    const { keeper, services } = new Clock().keeper('a');
    expect(keeper.owed).toBeUndefined();
    await keeper.tick();
    expect(keeper.serving).toEqual(lanes);
    expect(keeper.owed).toBe(8);
    expect(services.open.size).toBe(8);
  });

  it('hands lanes over when another comes, each lane served by one at a time, and ends fair', async () => {
    const clock = new Clock();
    const [a, b] = [clock.keeper('a'), clock.keeper('b')];
    await a.keeper.tick();
    for (let round = 0; round < 4; round++) {
      await b.keeper.tick();
      await a.keeper.tick();
      expect([...a.services.open.keys()].filter((lane) => b.services.open.has(lane))).toEqual([]);
    }
    expect([a.keeper.serving.length, b.keeper.serving.length]).toEqual([4, 4]);
    expect([...a.keeper.serving, ...b.keeper.serving].sort()).toEqual(lanes);
  });

  it('lets go of a lane only when the work in hand is done', async () => {
    const clock = new Clock();
    const [a, b] = [clock.keeper('a'), clock.keeper('b')];
    await a.keeper.tick();
    const { closed, open } = gate();
    a.services.closing = closed;
    await b.keeper.tick();
    await a.keeper.tick();
    await b.keeper.tick();
    expect(a.keeper.serving).toHaveLength(4);
    expect(b.keeper.serving).toEqual([]);
    open();
    await until(() => a.services.open.size === 4);
    await b.keeper.tick();
    expect(b.keeper.serving).toHaveLength(4);
  });

  it('takes over what a dead one held when its leases have run out', async () => {
    const clock = new Clock();
    const [a, b] = [clock.keeper('a'), clock.keeper('b')];
    await a.keeper.tick();
    await b.keeper.tick();
    expect(b.keeper.serving).toEqual([]);
    clock.now += ttl + 1;
    await b.keeper.tick();
    expect(b.keeper.serving).toEqual(lanes);
  });

  it('stops serving a lane whose lease it has lost, and takes it again with a later token', async () => {
    const clock = new Clock();
    const { keeper, services } = clock.keeper('a');
    await keeper.tick();
    const first = services.open.get(lanes[0]!)!.token;
    clock.now += ttl + 1;
    await keeper.tick();
    await until(() => services.open.size === 0 || keeper.serving.length === 8);
    await keeper.tick();
    expect(keeper.serving).toHaveLength(8);
    expect(services.open.get(lanes[0]!)!.token).toBeGreaterThan(first);
  });

  it('stops serving a lane that the store says is another’s', async () => {
    const clock = new Clock();
    const { keeper, services } = clock.keeper('a');
    await keeper.tick();
    services.open.get(lanes[3]!)!.onLost(new Error('fenced'));
    expect(keeper.serving).not.toContain(3);
    await until(() => !services.open.has(lanes[3]!));
    await keeper.tick();
    expect(keeper.serving).toContain(3);
  });

  it('keeps what it has while the leases are away', async () => {
    const clock = new Clock();
    let away = false;
    const leases: Leases = {
      acquire: (...args) => clock.leases.acquire(...args),
      holders: () => clock.leases.holders(),
      retire: (holder) => clock.leases.retire(holder),
      close: () => clock.leases.close(),
      announce: async (...args) => {
        if (away) throw new Error('away');
        await clock.leases.announce(...args);
      },
    };
    const { keeper } = clock.keeper('a', leases);
    await keeper.tick();
    away = true;
    await keeper.tick();
    expect(keeper.serving).toEqual(lanes);
  });

  it('gives a lane back that it could not serve, and tries again', async () => {
    const clock = new Clock();
    const { keeper, services } = clock.keeper('a');
    services.failing = true;
    await keeper.tick();
    expect(keeper.serving).toEqual([]);
    expect(await clock.leases.acquire('lane:0', 'someone', 1)).toBeDefined();
    clock.now += 2;
    services.failing = false;
    await keeper.tick();
    expect(keeper.serving).toEqual(lanes);
  });

  it('drained it holds nothing, is announced no more and takes nothing again', async () => {
    const clock = new Clock();
    const { keeper, services } = clock.keeper('a');
    await keeper.tick();
    await Promise.all([keeper.drain(), keeper.drain()]);
    await keeper.tick();
    expect(services.open.size).toBe(0);
    expect(keeper.serving).toEqual([]);
    expect(await clock.leases.holders()).toEqual([]);
    expect(await clock.leases.acquire('lane:0', 'next', ttl)).toBeDefined();
  });

  it('drained while it takes a lane it serves nothing afterwards', async () => {
    const clock = new Clock();
    const { keeper, services } = clock.keeper('a');
    const { closed, open } = gate();
    services.opening = closed;
    const ticking = keeper.tick();
    await until(() => services.asked > 0);
    await keeper.drain();
    open();
    await ticking;
    await until(async () => (await clock.leases.acquire('lane:0', 'next', ttl)) !== undefined);
    expect(services.open.size).toBe(0);
    expect(services.asked).toBe(1);
    expect(keeper.serving).toEqual([]);
  });
});
