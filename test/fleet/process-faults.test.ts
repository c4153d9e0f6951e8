import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FaultBench } from './fault-bench.ts';

let bench: FaultBench;
beforeAll(async () => {
  bench = await FaultBench.start();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

/** More of them find more: TIDEMARK_FAULT_ROUNDS=50. */
const rounds = Number(process.env.TIDEMARK_FAULT_ROUNDS ?? 3);
jest.setTimeout(120_000 + rounds * 60_000);

const random = (below: number) => 1 + Math.floor(Math.random() * below);

describe('a fleet in use survives', () => {
  it('writers killed at random points', async () => {
    const { writers } = bench.fleet;
    await bench.survive(async (workload) => {
      for (let round = 0; round < rounds; round++) {
        const writer = writers[round % writers.length]!;
        await workload.progress(random(20));
        await pause(random(30));
        await writer.kill();
        await writer.start();
      }
    });
  });

  it('gateways killed, while their clients go to the other', async () => {
    const { gateways } = bench.fleet;
    await bench.survive(async (workload) => {
      for (let round = 0; round < rounds; round++) {
        const gateway = gateways[round % gateways.length]!;
        await workload.progress(random(20));
        await gateway.kill();
        await workload.progress(20);
        await gateway.start();
      }
    });
  });

  it('a writer that sleeps for 20 s and wakes up with old leases', async () => {
    const [sleeper] = bench.fleet.writers;
    await bench.survive(async (workload) => {
      // Asleep in the middle of a transaction it holds what that has written: nobody can be promised progress meanwhile.
      sleeper!.pause();
      await pause(20_000);
      sleeper!.resume();
      await workload.progress(100);
    });
  });

  it('a restart of everything, one by one, by SIGTERM', async () => {
    await bench.survive(async (workload) => {
      for (const service of bench.fleet.services) {
        expect([service.name, await service.stop()]).toEqual([service.name, 0]);
        await service.start();
        await service.ready();
        await workload.progress(10);
      }
    });
  });
});
