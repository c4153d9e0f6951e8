import { afterEach, describe, expect, it } from '@jest/globals';
import { StoreError } from '@tidemark/storage';
import { silentTelemetry } from '@tidemark/telemetry';
import { createInProcessLeases } from '@tidemark/transport/inprocess';
import { createJanitor, type JanitorDeps } from './janitor.ts';
import type { PeriodicTask } from './scheduler.ts';
import { Desk, until } from './testing/desk.ts';

const day = 24 * 60 * 60 * 1_000;

function deps(desk: Desk, spec: Partial<JanitorDeps> = {}): JanitorDeps {
  const settings = { changeRetentionDays: 30, tideIntervalMs: 1, trimIntervalMs: 1 };
  return { store: desk.store, telemetry: silentTelemetry(), settings, ...spec };
}

/** Ticks when told. */
class HandScheduler {
  readonly tasks = new Map<string, PeriodicTask>();
  readonly stopped: string[] = [];

  async schedule(task: PeriodicTask) {
    this.tasks.set(task.name, task);
    return {
      stop: async () => {
        this.stopped.push(task.name);
      },
    };
  }
}

const desks: Desk[] = [];
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.close();
});

async function openDesk(lanes?: number): Promise<Desk> {
  const desk = await Desk.open(lanes);
  desks.push(desk);
  return desk;
}

describe('a janitor', () => {
  it('keeps the tide table and trims, from the start on', async () => {
    const desk = await openDesk();
    await desk.write('old', 0);
    await desk.write('young', 20 * day);
    const janitor = createJanitor(deps(desk, { now: () => 31 * day }));
    const running = janitor.run();
    await janitor.ready();
    await until(async () => (await desk.heads())[0]?.trimmed === 1);
    await until(async () => (await desk.store.findTide(31 * day)) !== undefined);
    await janitor.stop();
    await running;
  });

  it('gives its tasks to the scheduler that it is given, as often as the settings say', async () => {
    const desk = await openDesk();
    const scheduler = new HandScheduler();
    const janitor = createJanitor(deps(desk, { scheduler, settings: { changeRetentionDays: 1 } }));
    void janitor.run();
    await janitor.ready();
    expect([...scheduler.tasks.values()]).toMatchObject([
      { name: 'tide', intervalMs: 1_000 },
      { name: 'trim', intervalMs: 60_000 },
    ]);
    expect(await desk.store.findTide(Date.now())).toBeUndefined();
    await scheduler.tasks.get('tide')!.run();
    expect(await desk.store.findTide(Date.now())).toBeDefined();
    await janitor.stop();
    expect(scheduler.stopped.sort()).toEqual(['tide', 'trim']);
  });

  it('goes on when the store was away', async () => {
    const desk = await openDesk();
    await desk.write('d1', 0);
    let failures = 3;
    const store = {
      history: desk.store.history,
      heads: async (epoch: Parameters<typeof desk.store.heads>[0]) => {
        if (failures-- > 0) throw new StoreError('unavailable', 'away');
        return desk.store.heads(epoch);
      },
      transact: desk.store.transact.bind(desk.store),
      recordTide: (time: number, token: string) => desk.store.recordTide(time, token),
      findTide: (time: number) => desk.store.findTide(time),
      trim: (request: Parameters<typeof desk.store.trim>[0]) => desk.store.trim(request),
      statistics: () => desk.store.statistics(),
    };
    const janitor = createJanitor(deps(desk, { store }));
    void janitor.run();
    await until(async () => (await desk.store.findTide(Date.now())) !== undefined);
    expect(failures).toBeLessThan(0);
    await janitor.stop();
  });

  it('of two with leases one works', async () => {
    const desk = await openDesk();
    const leases = createInProcessLeases();
    const reads = new Map<string, number>();
    const janitors = ['a', 'b'].map((holder) => {
      const { store } = desk;
      const counted = {
        history: store.history,
        heads: (epoch: Parameters<typeof store.heads>[0]) => {
          reads.set(holder, (reads.get(holder) ?? 0) + 1);
          return store.heads(epoch);
        },
        transact: store.transact.bind(store),
        recordTide: (time: number, token: string) => store.recordTide(time, token),
        findTide: (time: number) => store.findTide(time),
        trim: (request: Parameters<typeof store.trim>[0]) => store.trim(request),
        statistics: () => store.statistics(),
      };
      const settings = { changeRetentionDays: 30, holder, tideIntervalMs: 100, trimIntervalMs: 1_000 };
      return createJanitor(deps(desk, { store: counted, leases, settings }));
    });
    for (const janitor of janitors) void janitor.run();
    await until(() => Math.max(0, ...reads.values()) >= 5);
    expect(reads.size).toBe(1);
    await Promise.all(janitors.map((janitor) => janitor.stop()));
  });

  it('is ready while it runs; drain and stop may be called twice and in any order', async () => {
    const desk = await openDesk();
    const janitor = createJanitor(deps(desk));
    await expect(janitor.ready()).rejects.toMatchObject({ code: 'unavailable' });
    const running = janitor.run();
    await janitor.ready();
    await Promise.all([janitor.stop(), janitor.drain(), janitor.stop()]);
    await running;
    await expect(janitor.ready()).rejects.toMatchObject({ code: 'unavailable' });
    await janitor.run();
  });

  it('ends when the number of lanes has changed', async () => {
    const desk = await openDesk();
    await desk.write('d1', 0);
    await desk.reopen(3);
    const { store } = desk;
    // As it was read before the change.
    const history = { id: store.history.id, epochs: store.history.epochs.slice(0, 1) };
    const early = {
      history,
      heads: (epoch: Parameters<typeof store.heads>[0]) => store.heads(epoch),
      transact: store.transact.bind(store),
      recordTide: (time: number, token: string) => store.recordTide(time, token),
      findTide: (time: number) => store.findTide(time),
      trim: (request: Parameters<typeof store.trim>[0]) => store.trim(request),
      statistics: () => store.statistics(),
    };
    const outdated = createJanitor(deps(desk, { store: early }));
    await expect(outdated.run()).rejects.toMatchObject({ kind: 'stale_epoch' });
    await outdated.stop();
  });

  it('tells when its tasks cannot be scheduled', async () => {
    const desk = await openDesk();
    const scheduler = {
      schedule: async () => {
        throw new Error('no scheduler');
      },
    };
    const janitor = createJanitor(deps(desk, { scheduler }));
    await expect(janitor.run()).rejects.toThrow('no scheduler');
    await janitor.stop();
  });
});
