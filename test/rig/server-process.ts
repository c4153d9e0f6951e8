import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunningServer } from './running-server.ts';

const root = join(__dirname, '..', '..');
const mainFile = join(root, 'services', 'standalone', 'src', 'main.ts');

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export function spawnServer(env: Readonly<Record<string, string>>, args: readonly string[] = []): ChildProcess {
  const { PATH = '', HOME = '' } = process.env;
  return spawn(process.execPath, ['--conditions=tidemark-source', '--import', 'tsx', mainFile, ...args], {
    cwd: root,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the main with this environment until it ends by itself: for starts that are refused, and `--help`. */
export async function runServerToEnd(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<ProcessEnd> {
  const child = spawnServer(env, args);
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, output, errors };
}

/** The standalone server as users run it, in a process of its own. */
export async function startProcess(env: Readonly<Record<string, string>>): Promise<RunningServer> {
  const child = spawnServer({ ...env, LOG_LEVEL: env.LOG_LEVEL ?? 'info' });
  const exited = once(child, 'close');
  const log: Record<string, unknown>[] = [];
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry.msg === 'ready') resolve(String(entry.url).replace('localhost', '127.0.0.1'));
    });
    exited.then(([code]) => reject(new Error(`the server ended with ${code}: ${errors}`)), reject);
  });
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  return {
    urls: [url],
    log,
    drain: () => Promise.reject(new Error('a process drains when it is stopped')),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}
