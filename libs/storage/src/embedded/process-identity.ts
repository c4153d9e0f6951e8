import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, so that its number given to another one later is not mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Where pids mean the same: machine, boot, and on Linux the pid namespace (containers have their own). */
  readonly scope: string;
  /** Since when, in the kernel's ticks; undefined where the system does not say. */
  readonly startedAt: string | undefined;
}

export function currentProcess(): ProcessIdentity {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return {
    pid: process.pid,
    scope: [hostname(), boot ?? '', namespace ?? ''].join(' '),
    startedAt: statOf(process.pid)?.startedAt,
  };
}

/** Does the process of the same scope still run? */
export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (startedAt === undefined) return true;
  const stat = statOf(pid);
  // One that has ended keeps its number until its parent has asked for it, which may be never.
  return stat?.startedAt === startedAt && stat.state !== 'Z';
}

/** Fields 3 and 22 of /proc/<pid>/stat; the name in field 2 may hold blanks and parentheses, so fields are counted after it. */
function statOf(
  pid: number,
): { readonly state: string | undefined; readonly startedAt: string | undefined } | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && { state: fields[0], startedAt: fields[19] };
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
