import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { currentProcess, isRunning } from './process-identity.ts';

const fieldsOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];

const onLinux = existsSync('/proc/self/stat') ? it : it.skip;

describe('a process', () => {
  it('runs while it runs, and is not another one of its number', () => {
    const own = currentProcess();
    expect(isRunning(own)).toBe(true);
    expect(own.startedAt === undefined || !isRunning({ ...own, startedAt: '1' })).toBe(true);
  });

  onLinux('that was killed does not run any more, though its parent has not asked for it', async () => {
    // The shell becomes a program that knows nothing of its child.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(line);
    const identity = { ...currentProcess(), pid, startedAt: fieldsOf(pid)[19] };
    expect(isRunning(identity)).toBe(true);
    process.kill(pid, 'SIGKILL');
    while (fieldsOf(pid)[0] !== 'Z') await new Promise((resolve) => setImmediate(resolve));
    expect(isRunning(identity)).toBe(false);
    parent.kill('SIGKILL');
  });
});
