import type { Lease, Leases } from '@tidemark/transport';

export interface ElectionOptions {
  readonly leases: Leases;
  readonly holder: string;
  /** How long an elected one that is not heard of stays elected; several intervals of the task. */
  readonly ttlMs: number;
  readonly name: string;
}

/** Who of several does a task: whoever holds the lease, until it lets go of it. */
export interface Election {
  isElected(): Promise<boolean>;
  resign(): Promise<void>;
}

export function createElection({ leases, holder, ttlMs, name }: ElectionOptions): Election {
  let lease: Lease | undefined;
  return {
    async isElected() {
      if (lease !== undefined && (await lease.renew())) return true;
      lease = await leases.acquire(name, holder, ttlMs);
      return lease !== undefined;
    },
    async resign() {
      const held = lease;
      lease = undefined;
      await held?.release();
    },
  };
}
