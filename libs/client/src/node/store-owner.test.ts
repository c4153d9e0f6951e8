import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { isRunning, type StoreOwner, thisOwner } from './store-owner.ts';

const fieldsOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];

const onLinux = existsSync('/proc/self/stat') ? it : it.skip;

describe('the owner of a store', () => {
  onLinux('does not run any more when it has ended and its parent does not ask for it', async () => {
    // The shell becomes a program that knows nothing of its child.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(line);
    const here = thisOwner('here');
    const owner: StoreOwner = { ...here, token: 'there', pid, startedAt: fieldsOf(pid)[19] ?? null };
    expect(isRunning(owner, here)).toBe(true);
    process.kill(pid, 'SIGKILL');
    while (fieldsOf(pid)[0] !== 'Z') await new Promise((resolve) => setImmediate(resolve));
    expect(isRunning(owner, here)).toBe(false);
    parent.kill('SIGKILL');
  });
});
