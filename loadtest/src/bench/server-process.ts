import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startMongo } from '@tidemark/storage/mongo-testing';
import { freePort, startRedisServer } from '@tidemark/transport/redis/testing';

/** What is under test, in processes of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  /** Where clients may connect; `url` is the first. */
  readonly urls: readonly string[];
  /** Resident memory now, in bytes, of the processes that hold the connections. */
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
  return processOf([child], String(line).trim(), async () => undefined);
}

/** Without limits: what is measured is the work. */
const unlimited = {
  NODE_ENV: 'development',
  LOG_LEVEL: 'error',
  MAX_CONNECTIONS_PER_IP: '100000',
  MAX_CONNECTIONS_PER_USER: '100000',
};

/** The built server with a fresh store in a temporary folder. */
export async function startStandaloneProcess(): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const service = await startService('standalone', { DATA_DIR: directory });
  return processOf([service.child], service.url, () => rm(directory, { recursive: true, force: true }));
}

export interface FleetSize {
  readonly gateways: number;
  readonly writers: number;
}

/** Gateways, writers and a janitor on a Redis (append-only file) and a MongoDB-compatible server of their own. */
export async function startFleet(size: FleetSize): Promise<ServerProcess> {
  const redis = await startRedisServer({ args: ['--appendfsync', 'everysec'] });
  const mongo = await startMongo();
  const database = `bench${process.hrtime.bigint()}`;
  const env = { REDIS_URL: redis.url, MONGODB_URI: mongo.uri, MONGODB_DATABASE: database };
  const services: StartedService[] = [];
  const start = async (service: string, count: number) => {
    for (let number = 0; number < count; number++) services.push(await startService(service, env));
  };
  await start('writer', size.writers);
  await start('janitor', 1);
  await start('gateway', size.gateways);
  const all = services.map((service) => service.child);
  const gateways = services.slice(-size.gateways);
  const urls = gateways.map((service) => service.url);
  const server = processOf(all, urls[0] ?? '', async () => {
    await mongo.stop();
    await redis[Symbol.asyncDispose]();
  });
  return { ...server, urls, memory: () => memoryOf(gateways.map((service) => service.child)) };
}

interface StartedService {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startService(service: string, more: Readonly<Record<string, string>>): Promise<StartedService> {
  const port = await freePort();
  const env = { ...process.env, ...unlimited, ...more, PORT: String(port), HOST: '127.0.0.1' };
  const main = join(root, 'services', service, 'dist/main.js');
  const child = spawn(process.execPath, [main], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  await ready(child, url);
  return { child, url };
}

function processOf(children: readonly ChildProcess[], url: string, clean: () => Promise<void>): ServerProcess {
  return {
    url,
    urls: [url],
    memory: () => memoryOf(children),
    cpu: () => sumOf(children, (pid) => cpuOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))),
    async [Symbol.asyncDispose]() {
      const ended = Promise.all(children.map((child) => once(child, 'exit')));
      for (const child of children) child.kill('SIGTERM');
      await ended;
      await clean();
    },
  };
}

function memoryOf(children: readonly ChildProcess[]): number {
  const rss = (pid: number | undefined) => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return sumOf(children, (pid) => Number(rss(pid)) * 1_024);
}

function sumOf(children: readonly ChildProcess[], of: (pid: number | undefined) => number): number {
  return children.reduce((total, child) => total + of(child.pid), 0);
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
