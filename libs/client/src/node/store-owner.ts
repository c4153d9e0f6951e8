import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who has a store: a process, and which of the clients in it. */
export interface StoreOwner {
  /** Unlike that of any other opening of a store. */
  readonly token: string;
  readonly pid: number;
  /** Where process ids mean the same: machine, boot, and on Linux the namespace (containers have their own). */
  readonly scope: string;
  /** Since when the process runs, so that another one with its number is not taken for it; null where the system does not say. */
  readonly startedAt: string | null;
}

/** This process, as the owner of a store. */
export function thisOwner(token: string): StoreOwner {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'));
  const scope = [hostname(), boot ?? '', namespace ?? ''].join(' ');
  return { token, pid: process.pid, scope, startedAt: statOf(process.pid).startedAt };
}

/**
 * Whether the owner's process runs; undefined when `from` is where its number means nothing, or when another process may have got the
 * number since.
 */
export function isRunning(owner: StoreOwner, from: StoreOwner): boolean | undefined {
  if (owner.scope !== from.scope) return undefined;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (owner.startedAt === null) return undefined;
  const { state, startedAt } = statOf(owner.pid);
  // One that has ended keeps its number until its parent has asked for it, which may be never.
  return startedAt === owner.startedAt && state !== 'Z';
}

/** Fields 3 and 22 of /proc/<pid>/stat; the name in field 2 may hold blanks and parentheses, so fields are counted after it. */
function statOf(pid: number): { readonly state: string | undefined; readonly startedAt: string | null } {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return { state: fields[0], startedAt: fields[19] ?? null };
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
