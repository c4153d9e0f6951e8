import { setTimeout as pause } from 'node:timers/promises';
import { SettingsError } from '@tidemark/config';
import { SyncError } from '@tidemark/protocol';
import type { Store } from '@tidemark/storage';
import type { Leases } from '@tidemark/transport';
import { type OpenStoreOptions, openStore } from './open-store.ts';

export type WriterStoreOptions = Omit<OpenStoreOptions, 'keepLanes'> & {
  /** Whose holders are the writers that live. */
  readonly leases: Pick<Leases, 'holders'>;
};

const pollMs = 200;

/**
 * The store of a writer of a fleet. Another LANES than the stored number begins a new epoch, which ends every writer of the
 * old one; so that two that were told different numbers do not end each other for ever, a writer changes the number only
 * when no other one lives. It waits for those that are ending, or died just now, and gives up when they live on.
 * Throws SettingsError then, StoreError.
 */
export async function openWriterStore({ leases, ...options }: WriterStoreOptions): Promise<Store> {
  const store = await openStore({ ...options, keepLanes: true });
  const stored = store.history.epochs.at(-1)?.lanes;
  const { lanes: wanted, leaseTtlMs } = options.settings;
  if (stored === wanted) return store;
  await store.close();
  const { logger } = options.telemetry;
  logger.warn({ stored, wanted }, 'the number of lanes is to change: waiting until no other writer lives');
  // A dead one is forgotten after one time to live; a drain takes longer.
  const patienceMs = 2 * leaseTtlMs + options.settings.drainTimeoutMs;
  const problem = await othersRemain(leases, patienceMs);
  if (problem !== undefined) {
    const change = `LANES=${wanted} would change the number of lanes, which is ${stored}`;
    throw new SettingsError([`${change}; ${problem}`]);
  }
  logger.warn({ stored, wanted }, 'the number of lanes changes');
  return openStore({ ...options, keepLanes: false });
}

/** Undefined as soon as no writer lives; else, when the time is over, why that cannot be said. */
async function othersRemain(leases: Pick<Leases, 'holders'>, patienceMs: number): Promise<string | undefined> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const living = await countHolders(leases);
    if (living === 0) return undefined;
    if (performance.now() > deadline) {
      if (living === undefined) return 'Redis, which knows the other writers, does not answer';
      return `but ${living} other writer(s) run with that: stop all writers first, or start this one with LANES as they have it`;
    }
    await pause(pollMs);
  }
}

/** Undefined while Redis is away. */
async function countHolders(leases: Pick<Leases, 'holders'>): Promise<number | undefined> {
  try {
    return (await leases.holders()).length;
  } catch (error) {
    if (SyncError.is(error)) return undefined;
    throw error;
  }
}
