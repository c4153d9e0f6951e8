import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { ClientOptions } from '../client-options.ts';

export interface RedisServerOptions {
  /** Append-only file with every write synced, so that a kill loses nothing. Default true. */
  readonly appendOnly?: boolean;
  /** More of redis.conf, as arguments. */
  readonly args?: readonly string[];
  /** Speaks TLS only, for the name `localhost`: files of certificate and key, and the text of the authority. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** How to reach it, when it is not by plain TCP. */
  readonly client?: ClientOptions;
}

/** A redis-server of a test's own, on a free port, with its data in a directory of its own. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** SIGKILL. Safe to call when it is down. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with its data or empty. */
  start(options?: { readonly empty?: boolean }): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Kills it and removes its data. */
  [Symbol.asyncDispose](): Promise<void>;
}

export const missingRedis =
  'These tests start a redis-server of their own and found none on the PATH: install it (apt-get install redis-server, brew install redis).';

export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-redis-'));
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const start = async ({ empty = false } = {}) => {
    await kill();
    if (empty) await rm(join(directory, 'appendonlydir'), { recursive: true, force: true });
    child = await spawnRedis(directory, port, options);
  };
  await start();
  return {
    url: options.tls === undefined ? `redis://127.0.0.1:${port}` : `rediss://localhost:${port}`,
    port,
    kill,
    start,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function spawnRedis(directory: string, port: number, options: RedisServerOptions): Promise<ChildProcess> {
  const appendOnly =
    options.appendOnly === false ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', 'always'];
  const common = ['--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  const args = [...common, ...portArgs(port, options.tls), ...appendOnly];
  const child = spawn('redis-server', [...args, ...(options.args ?? [])], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output = `${output}${chunk}`.slice(-4_000)));
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(missingRedis) : error),
    );
    child.once('exit', () => reject(new Error(`redis-server ended: ${output}`)));
  });
  // After the start nobody waits for the end any more.
  failed.catch(() => {});
  await Promise.race([answers(port, options), failed]);
  return child;
}

function portArgs(port: number, tls: RedisServerOptions['tls']): readonly string[] {
  if (tls === undefined) return ['--port', `${port}`];
  const files = ['--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-auth-clients', 'no'];
  return ['--port', '0', '--tls-port', `${port}`, ...files];
}

/** Resolves when a ping is answered, which is after the data has been loaded. */
async function answers(port: number, { client: more = {}, tls }: RedisServerOptions): Promise<void> {
  const patient: ClientOptions = { protocol: 2, retryStrategy: () => 20, maxRetriesPerRequest: null };
  const options: ClientOptions = { host: '127.0.0.1', port, ...patient, ...more };
  if (tls !== undefined) options.tls = { ca: tls.ca, servername: 'localhost' };
  const client = new Redis(options);
  client.on('error', () => {});
  try {
    await client.ping();
  } finally {
    client.disconnect();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
