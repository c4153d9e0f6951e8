import { afterEach, describe, expect, it } from '@jest/globals';
import type { MaintenanceStore } from '@tidemark/storage';
import { silentTelemetry } from '@tidemark/telemetry';
import { Desk } from './testing/desk.ts';
import { Trimmer } from './trimmer.ts';

const day = 24 * 60 * 60 * 1_000;

function trimmer(
  store: MaintenanceStore,
  now: number,
  spec: { readonly stepRows?: number; readonly retentionDays?: number } = {},
) {
  const { metrics } = silentTelemetry();
  return {
    metrics,
    trimmer: new Trimmer({ store, metrics, retentionDays: 30, stepRows: 500, now: () => now, ...spec }),
  };
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

describe('trimming', () => {
  it('removes what is older than the retention and nothing younger', async () => {
    const desk = await openDesk();
    await desk.write('old', 0);
    await desk.write('older', 1 * day);
    await desk.write('young', 2 * day);
    const { trimmer: it_, metrics } = trimmer(desk.store, 31.5 * day);
    await it_.trim();
    expect(await desk.heads()).toMatchObject([{ head: 3, trimmed: 2 }]);
    expect(await metrics.text()).toMatch(/tidemark_trimmed_entries_total [1-9]/);
    await expect(
      desk.store.readLog({ epoch: desk.epoch.epoch, lane: 0 as never, after: 0 as never, limit: 9 }),
    ).rejects.toMatchObject({
      kind: 'trimmed',
    });
    expect(
      await desk.store.readLog({ epoch: desk.epoch.epoch, lane: 0 as never, after: 2 as never, limit: 9 }),
    ).toHaveLength(1);
  });

  it('goes on in small steps until nothing is left, and lets writes in between', async () => {
    const desk = await openDesk();
    for (let n = 0; n < 40; n++) await desk.write(`d${n}`, 0, n % 2 === 0 ? 'insert' : 'delete');
    const limits: number[] = [];
    const store: MaintenanceStore = {
      statistics: () => desk.store.statistics(),
      trim: async (request) => {
        limits.push(request.limit);
        await desk.write(`young${limits.length}`, 40 * day);
        return desk.store.trim(request);
      },
    };
    await trimmer(store, 31 * day, { stepRows: 7 }).trimmer.trim();
    expect(limits.length).toBeGreaterThan(5);
    expect(new Set(limits)).toEqual(new Set([7]));
    expect(await desk.heads()).toMatchObject([{ head: 40 + limits.length, trimmed: 40 }]);
  });

  it('stops after the step under way', async () => {
    const desk = await openDesk();
    for (let n = 0; n < 20; n++) await desk.write(`d${n}`, 0);
    const { trimmer: it_ } = trimmer(
      {
        statistics: () => desk.store.statistics(),
        trim: async (request) => {
          it_.stop();
          return desk.store.trim(request);
        },
      },
      31 * day,
      { stepRows: 4 },
    );
    await it_.trim();
    const [lane] = await desk.heads();
    expect(lane?.trimmed).toBeGreaterThan(0);
    expect(lane?.trimmed).toBeLessThan(20);
  });
});
