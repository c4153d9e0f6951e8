import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '@tidemark/transport/redis/testing';
import { waitUntil, withinTime } from './wait-until.ts';

const root = join(__dirname, '..', '..');

export type ServiceName = 'gateway' | 'writer' | 'janitor' | 'standalone';

/** One line of a service's log, parsed. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Longer than any start on a busy machine. */
const startsWithin = 60_000;
/** Longer than DRAIN_TIMEOUT_MS and what follows. */
const endsWithin = 30_000;

/** A service as users run it, in a process of its own, on a port that it keeps over restarts. */
export class ServiceProcess implements AsyncDisposable {
  readonly name: ServiceName;
  readonly url: string;
  /** Of all its starts. */
  readonly log: LogLine[] = [];
  private readonly env: Readonly<Record<string, string>>;
  private child: ChildProcess | undefined;
  private exited: Promise<unknown> = Promise.resolve();
  private errors = '';

  private constructor(name: ServiceName, env: Readonly<Record<string, string>>, port: number) {
    this.name = name;
    this.env = { LOG_LEVEL: 'info', ...env, PORT: String(port), HOST: '127.0.0.1' };
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Spawns it and waits until it says that it has started; see `ready` for more. */
  static async start(name: ServiceName, env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
    const service = new ServiceProcess(name, env, await freePort());
    await service.start();
    return service;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error(`the ${this.name} does not run`);
    return this.child.pid;
  }

  /** Once more, with the same port and environment. Throws with what it said when it ends instead. */
  async start(): Promise<void> {
    const child = this.spawn();
    const started = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const entry = JSON.parse(line) as LogLine;
        this.log.push(entry);
        if (entry.msg === 'ready' || entry.msg === 'started') resolve();
      });
      this.exited.then(() => reject(new Error(`the ${this.name} ended: ${this.errors}`)), reject);
    });
    await withinTime(started, startsWithin, () => `the ${this.name} did not start: ${this.errors}`);
  }

  /** Resolves when it has ended by itself, with the code and its last words to the operator. */
  async ended(): Promise<{ readonly code: number | null; readonly errors: string }> {
    await withinTime(this.exited, endsWithin, () => `the ${this.name} did not end; ${this.lastWords()}`);
    return { code: this.child?.exitCode ?? null, errors: this.errors };
  }

  /** What `/ready` answers now. */
  async readiness(): Promise<Readonly<Record<string, unknown>>> {
    const answer = await fetch(`${this.url}/ready`, { headers: { connection: 'close' } });
    return (await answer.json()) as Readonly<Record<string, unknown>>;
  }

  /** Resolves when `/ready` says so. */
  async ready(): Promise<void> {
    let last = '';
    const ask = async () => {
      const answer = await fetch(`${this.url}/ready`, { headers: { connection: 'close' } }).catch(() => undefined);
      last = answer === undefined ? 'no answer' : await answer.text();
      return answer?.status === 200;
    };
    await waitUntil(ask, { within: startsWithin, what: () => `the ${this.name} is ready: ${last}` });
  }

  /** SIGTERM, as an orchestrator would; resolves with the code when it has ended. */
  async stop(): Promise<number | null> {
    if (this.isRunning) this.child?.kill('SIGTERM');
    await withinTime(this.exited, endsWithin, () => `the ${this.name} did not end; ${this.lastWords()}`);
    return this.child?.exitCode ?? null;
  }

  /** SIGKILL: it says nothing to anybody. */
  async kill(): Promise<void> {
    if (this.isRunning) this.child?.kill('SIGKILL');
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().finally(() => this.kill());
  }

  /** SIGSTOP: it holds what it holds and does nothing. */
  pause(): void {
    this.child?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    this.child?.kill('SIGCONT');
  }

  /** The last lines of its log, for the message of a failing test. */
  lastWords(): string {
    return this.log
      .slice(-8)
      .map((line) => JSON.stringify(line).slice(0, 400))
      .join('\n');
  }

  private spawn(): ChildProcess {
    if (this.isRunning) throw new Error(`the ${this.name} runs already`);
    const { PATH = '', HOME = '' } = process.env;
    const main = join(root, 'services', this.name, 'src', 'main.ts');
    const child = spawn(process.execPath, ['--conditions=tidemark-source', '--import', 'tsx', main], {
      cwd: root,
      env: { PATH, HOME, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.errors = '';
    child.stderr!.on('data', (chunk) => {
      this.errors = `${this.errors}${chunk}`.slice(-4_000);
    });
    endWithUs(child);
    this.exited = once(child, 'close');
    this.exited.catch(() => undefined);
    return child;
  }
}

const children = new Set<ChildProcess>();

function killChildren(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** It ends with this process, whatever ends that. One listener for all: a fleet is many processes. */
function endWithUs(child: ChildProcess): void {
  if (children.size === 0) process.on('exit', killChildren);
  children.add(child);
  child.once('close', () => {
    children.delete(child);
    if (children.size === 0) process.off('exit', killChildren);
  });
}
