import { describe, expect, it } from '@jest/globals';
import { silentTelemetry } from '@tidemark/telemetry';
import { createInProcessLeases } from '@tidemark/transport/inprocess';
import { until } from './testing/desk.ts';
import { createTimerScheduler } from './timer-scheduler.ts';

const { logger } = silentTelemetry();

describe('timers', () => {
  it('run a task at once and then again and again, never two runs at a time', async () => {
    let atWork = 0;
    let most = 0;
    let runs = 0;
    const run = async () => {
      atWork += 1;
      most = Math.max(most, atWork);
      await Promise.resolve();
      atWork -= 1;
      runs += 1;
    };
    const scheduled = await createTimerScheduler({ logger }).schedule({ name: 't', intervalMs: 1, run });
    expect(most).toBe(1);
    await until(() => runs >= 5);
    expect(most).toBe(1);
    await scheduled.stop();
  });

  it('a task that fails runs again', async () => {
    let runs = 0;
    const run = async () => {
      runs += 1;
      throw new Error('no');
    };
    const scheduled = await createTimerScheduler({ logger }).schedule({ name: 't', intervalMs: 1, run });
    await until(() => runs >= 3);
    await scheduled.stop();
  });

  it('stop waits for the run under way and may be called twice', async () => {
    let finish: (() => void) | undefined;
    let ended = false;
    const run = async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      ended = true;
    };
    const scheduled = await createTimerScheduler({ logger }).schedule({ name: 't', intervalMs: 1, run });
    const stopping = Promise.all([scheduled.stop(), scheduled.stop()]);
    expect(ended).toBe(false);
    finish?.();
    await stopping;
    expect(ended).toBe(true);
  });
});

describe('an election', () => {
  /** Janitors that share leases, and how often each ran. */
  async function fleet(names: readonly string[], clock: { now: number }) {
    const leases = createInProcessLeases({ clock: () => clock.now });
    const runs = new Map(names.map((name) => [name, 0]));
    const scheduled = new Map(
      await Promise.all(
        names.map(async (holder) => {
          const scheduler = createTimerScheduler({ logger, election: { leases, holder } });
          const run = async () => {
            runs.set(holder, (runs.get(holder) ?? 0) + 1);
          };
          return [holder, await scheduler.schedule({ name: 't', intervalMs: 2, run })] as const;
        }),
      ),
    );
    return { runs, scheduled, stop: () => Promise.all([...scheduled.values()].map((one) => one.stop())) };
  }

  it('lets one of several work, and the next when it leaves', async () => {
    const { runs, scheduled, stop } = await fleet(['a', 'b', 'c'], { now: 0 });
    await until(() => Math.max(...runs.values()) >= 5);
    const working = [...runs].filter(([, count]) => count > 0).map(([name]) => name);
    expect(working).toHaveLength(1);
    await scheduled.get(working[0]!)!.stop();
    await until(() => [...runs.values()].filter((count) => count > 0).length === 2);
    await stop();
  });

  it('passes to another when the elected one is not heard of', async () => {
    const clock = { now: 0 };
    const leases = createInProcessLeases({ clock: () => clock.now });
    expect(await leases.acquire('janitor:t', 'dead', 10)).toBeDefined();
    let runs = 0;
    let asked = 0;
    const watched = {
      ...bound(leases),
      acquire: (...args: Parameters<typeof leases.acquire>) => {
        asked += 1;
        return leases.acquire(...args);
      },
    };
    const scheduler = createTimerScheduler({ logger, election: { leases: watched, holder: 'b' } });
    const run = async () => {
      runs += 1;
    };
    const scheduled = await scheduler.schedule({ name: 't', intervalMs: 1, run });
    await until(() => asked >= 3);
    expect(runs).toBe(0);
    clock.now = 11;
    await until(() => runs > 0);
    await scheduled.stop();
  });
});

function bound(leases: ReturnType<typeof createInProcessLeases>) {
  return {
    acquire: (...args: Parameters<typeof leases.acquire>) => leases.acquire(...args),
    announce: (...args: Parameters<typeof leases.announce>) => leases.announce(...args),
    holders: () => leases.holders(),
    retire: (holder: string) => leases.retire(holder),
    close: () => leases.close(),
  };
}
