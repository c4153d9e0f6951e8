import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet, startOnMongo } from './backed-modes.ts';
import { type ConnectOptions, connectClient, type TestClient } from './client.ts';
import { type HttpAnswer, send } from './http.ts';
import { startInProcess } from './in-process.ts';
import type { RunningServer, ServerOptions, StartServer } from './running-server.ts';
import { startProcess } from './server-process.ts';

export type { ServerOptions } from './running-server.ts';

/** The kinds of server that the tests can run against, chosen by TIDEMARK_TEST_MODE. */
const modes: Readonly<Record<string, (options: ServerOptions) => StartServer>> = {
  standalone: ({ process }) => (process ? startProcess : startInProcess),
  mongo: () => startOnMongo,
  fleet: () => startFleet,
};

export const testMode = process.env.TIDEMARK_TEST_MODE || 'standalone';
/** All parts run inside the test, so that faults can be put between them. */
export const isInProcess = testMode !== 'fleet';

/** Starts the whole system with an empty store. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const mode = options.mode ?? testMode;
  const start = modes[mode]?.(options);
  if (start === undefined) throw new Error(`TIDEMARK_TEST_MODE=${mode}: there are ${Object.keys(modes).join(', ')}`);
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  const server = new TestServer({ folder, options, start });
  try {
    await server.start();
    return server;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** A server with its data; goes with its scope: `await using server = await startServer()`. */
export class TestServer implements AsyncDisposable {
  readonly folder: string;
  private readonly options: ServerOptions;
  private readonly launch: StartServer;
  private readonly clients: TestClient[] = [];
  private running: RunningServer | undefined;
  private turn = 0;

  constructor(parts: { folder: string; options: ServerOptions; start: StartServer }) {
    this.folder = parts.folder;
    this.options = parts.options;
    this.launch = parts.start;
  }

  get url(): string {
    return this.current.urls[0]!;
  }

  get log(): RunningServer['log'] {
    return this.current.log;
  }

  /** Starts it on the data that it has; `env` on top of what it was made with. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.running = await this.launch({ ...(await this.environment()), ...env }, this.options);
  }

  async stop(): Promise<void> {
    await this.running?.stop();
    this.assertQuietLog();
    this.running = undefined;
  }

  async kill(): Promise<void> {
    await this.current.kill();
    this.running = undefined;
  }

  drain(): Promise<void> {
    return this.current.drain();
  }

  /** A socket that goes with the server. It has not joined yet. Those of a fleet are spread over its gateways. */
  connect(options: ConnectOptions = {}): Promise<TestClient> {
    return this.connectTo(this.turn++, options);
  }

  /** As `connect`, at the gateway of that number; where there are fewer, the count begins anew. */
  async connectTo(gateway: number, options: ConnectOptions = {}): Promise<TestClient> {
    const client = await connectClient(this.urlOf(gateway), options);
    this.clients.push(client);
    return client;
  }

  urlOf(gateway: number): string {
    const { urls } = this.current;
    return urls[gateway % urls.length]!;
  }

  /** A socket of a user that has joined; `protocol: 1` unless the options say otherwise. */
  async user(userId: string, join: Readonly<Record<string, unknown>> = { protocol: 1 }): Promise<TestClient> {
    const client = await this.connect({ userId });
    await client.join(join);
    return client;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return send(this.url, path, { headers });
  }

  /** A text goes out as it is, anything else as JSON. */
  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const all = { 'content-type': 'application/json', ...headers };
    return send(this.url, path, { method: 'POST', body: text, headers: all });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Promise.all(this.clients.map((client) => client[Symbol.asyncDispose]()));
    } finally {
      await this.running?.stop();
      await rm(this.folder, { recursive: true, force: true });
    }
    this.assertQuietLog();
  }

  private get current(): RunningServer {
    if (this.running === undefined) throw new Error('the server does not run');
    return this.running;
  }

  private async environment(): Promise<Readonly<Record<string, string>>> {
    const { env = {}, rules, file } = this.options;
    const config = join(this.folder, 'config');
    const nodeEnv = env.NODE_ENV ?? 'development';
    await mkdir(config, { recursive: true });
    if (rules !== undefined) await writeFile(join(this.folder, 'rules.yaml'), rules);
    if (file !== undefined) await writeFile(join(config, `${nodeEnv}.json`), JSON.stringify(file));
    return {
      NODE_ENV: nodeEnv,
      PORT: '0',
      HOST: '127.0.0.1',
      DATA_DIR: join(this.folder, 'data'),
      CONFIG_DIR: config,
      ...(rules !== undefined && { RULES_FILE: join(this.folder, 'rules.yaml') }),
      ...env,
    };
  }

  private assertQuietLog(): void {
    if (this.options.mayLogErrors || this.running === undefined) return;
    const errors = this.running.log.filter(({ level }) => level === 'error' || level === 'fatal');
    if (errors.length > 0) throw new Error(`the server logged errors: ${JSON.stringify(errors.slice(0, 3), null, 1)}`);
  }
}
