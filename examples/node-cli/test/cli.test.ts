import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startServer, type TestServer, until } from './server.ts';

jest.setTimeout(60_000);

const root = join(__dirname, '../../..');
let server: TestServer;
let running: Terminal[] = [];

/** A terminal with the client in it. */
class Terminal {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly exited: Promise<number | null>;
  #output = '';

  constructor(user: string, directory: string) {
    const command = ['--conditions=tidemark-source', join(root, 'examples/node-cli/src/main.ts'), user];
    const env = { ...process.env, URL: server.url, CLIENT_DATA_DIR: directory };
    this.#process = spawn(join(root, 'node_modules/.bin/tsx'), command, { cwd: root, env });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('data', (data) => {
        this.#output += data;
      });
    }
    this.exited = new Promise((resolve) => this.#process.on('exit', resolve));
    running.push(this);
  }

  type(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  async shows(text: string): Promise<void> {
    await until(`${JSON.stringify(text)} in:\n${this.#output}`, () => this.#output.includes(text), 20_000);
    this.#output = this.#output.slice(this.#output.indexOf(text) + text.length);
  }

  async quit(): Promise<number | null> {
    running = running.filter((other) => other !== this);
    this.type('quit');
    return await this.exited;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

beforeAll(async () => {
  server = await startServer();
});

afterEach(() => {
  for (const terminal of running.splice(0)) terminal.kill();
});

afterAll(async () => {
  await server.stop();
});

describe('the terminal client', () => {
  it('shows what others do, works offline, and goes on after a restart', async () => {
    const directory = join(server.directory, 'clients');
    const ann = new Terminal('ann', directory);
    const ben = new Terminal('ben', directory);
    await ann.shows('* live');
    await ben.shows('* live');
    ann.type('add milk');
    await ben.shows('+ [ ] milk   (ann)');
    ben.type('toggle 1');
    await ann.shows('~ [x] milk   (ben)');
    ann.type('offline');
    await ann.shows('* paused');
    ann.type('add bread');
    ann.type('status');
    await ann.shows('paused, 1 to send');
    expect(await ann.quit()).toBe(0);
    const again = new Terminal('ann', directory);
    await again.shows('[ ] bread');
    await ben.shows('+ [ ] bread   (ann)');
    again.type('delete 1');
    await ben.shows('- [x] milk');
    again.type('dance');
    await again.shows('there is no "dance"');
    expect([await again.quit(), await ben.quit()]).toEqual([0, 0]);
  });

  it('says why a second one of the same user does not start', async () => {
    const directory = join(server.directory, 'taken');
    const first = new Terminal('ann', directory);
    await first.shows('* live');
    const second = new Terminal('ann', directory);
    await second.shows(`${join(directory, 'ann')} is in use by process`);
    expect(await second.exited).toBe(1);
    expect(await first.quit()).toBe(0);
  });

  it('says how to use it', async () => {
    const nobody = new Terminal('', server.directory);
    expect(await nobody.exited).toBe(2);
  });
});
