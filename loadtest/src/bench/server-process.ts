import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A server under test, in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  /** Resident memory now, in bytes. */
  memory(): number;
  /** CPU time used so far, in ms. */
  cpu(): number;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const ticksPerSecond = 100;

/** Socket.IO alone. */
export async function startBare(): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'loadtest/src/bench/bare-server.ts')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return processOf(child, String(line).trim(), async () => undefined);
}

/** The built server with a fresh store in a temporary folder. */
export async function startStandaloneProcess(): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const port = await freePort();
  const env = {
    ...process.env,
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: directory,
    NODE_ENV: 'development',
    LOG_LEVEL: 'error',
    MAX_CONNECTIONS_PER_IP: '100000',
    MAX_CONNECTIONS_PER_USER: '100000',
  };
  const child = spawn(process.execPath, [join(root, 'services/standalone/dist/main.js')], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(child, url);
  return processOf(child, url, () => rm(directory, { recursive: true, force: true }));
}

function processOf(child: ChildProcess, url: string, clean: () => Promise<void>): ServerProcess {
  return {
    url,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    cpu: () => cpuOf(readFileSync(`/proc/${child.pid}/stat`, 'utf8')),
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await clean();
    },
  };
}

/** User and system time of a line of /proc/…/stat; the name before them may hold anything, so fields count from its end. */
function cpuOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`${url}/ready`).catch(() => undefined);
    if (answer?.status === 200) return;
    await pause(50);
  }
  throw new Error('the server did not get ready');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
