import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import { createClient } from '../create-client.ts';

export interface ServerCommand {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly uri: string;
  /** How long it may take to answer, ms. */
  readonly readyWithinMs: number;
  /** Makes a replica set of the server, where it is none by itself. */
  readonly initiate?: (client: MongoClient) => Promise<void>;
}

/** A running server that is ours. */
export class ServerProcess {
  readonly #child: ChildProcess;
  #output = '';
  #error: Error | undefined;

  private constructor(command: ServerCommand) {
    this.#child = spawn(command.program, command.arguments, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => {
      this.#error = error;
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-4_000);
      });
    }
    process.once('exit', this.#killNow);
  }

  /** Starts the server and waits until it answers. Throws with what it printed when it does not. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(command);
    try {
      await server.#untilReady(command);
      return server;
    } catch (error) {
      await server.end('SIGKILL');
      throw error;
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the process is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    process.off('exit', this.#killNow);
    if (!this.#isRunning()) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    const stubborn = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(stubborn);
  }

  readonly #killNow = (): void => {
    this.#child.kill('SIGKILL');
  };

  #isRunning(): boolean {
    return this.#error === undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #untilReady(command: ServerCommand): Promise<void> {
    const end = performance.now() + command.readyWithinMs;
    let last: unknown;
    while (this.#isRunning() && performance.now() < end) {
      try {
        return await answer(command);
      } catch (error) {
        last = error;
        await sleep(50);
      }
    }
    throw new Error(`${command.program} does not answer: ${this.#output || this.#error?.message}`, { cause: last });
  }
}

async function answer({ uri, initiate }: ServerCommand): Promise<void> {
  const client = createClient(uri, { serverSelectionTimeoutMS: 500, connectTimeoutMS: 500 });
  try {
    await initiate?.(client);
    const hello = await client.db('admin').command({ hello: 1 });
    if (hello.isWritablePrimary !== true) throw new Error('the server is no primary yet');
  } finally {
    await client.close();
  }
}
