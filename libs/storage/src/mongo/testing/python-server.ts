import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** MongoDB's wire protocol over WiredTiger, for tests on machines without MongoDB. Nothing of it is in the product. */
const requirement = 'SecantusDB==0.7.0b3';
const lockStaleMs = 300_000;

/** Path of the server in a virtual environment of the cache folder, which is made when it is missing. */
export async function installPythonServer(cacheDirectory: string): Promise<string> {
  const environment = join(cacheDirectory, `mongo-${requirement.replace(/\W+/g, '-')}`);
  const program = join(environment, 'bin', 'secantusd-py');
  const complete = join(environment, 'complete');
  await mkdir(cacheDirectory, { recursive: true });
  const unlock = await lock(`${environment}.lock`);
  try {
    if (existsSync(complete)) return program;
    await rm(environment, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', environment]);
    await run(join(environment, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', requirement]);
    await writeFile(complete, requirement);
    return program;
  } finally {
    await unlock();
  }
}

/** Test files run in parallel: one installs, the others wait. A lock that a dead process left is taken over. */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await mkdir(path);
      return () => rm(path, { recursive: true, force: true });
    } catch {
      await removeStale(path);
      await sleep(100);
    }
  }
}

async function removeStale(path: string): Promise<void> {
  const made = await stat(path).catch(() => undefined);
  if (made === undefined || Date.now() - made.mtimeMs < lockStaleMs) return;
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  await rm(aside, { recursive: true, force: true });
}
