import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const root = join(__dirname, '../..');

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A folder of its own with the scripts of this repository, in which servers can be started and stopped. */
export class Checkout implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(folder: string, port: number, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.port = port;
    this.#env = env;
  }

  /** `env` is given to every script. Of the environment of the tests nothing that chooses a mode or a backend is. */
  static async create(env: Readonly<Record<string, string>> = {}): Promise<Checkout> {
    const checkout = new Checkout(mkdtempSync(join(tmpdir(), 'tidemark-up-')), await freePorts(), env);
    for (const name of readdirSync(join(root, 'scripts')).filter((name) => /\.(sh|mjs)$/.test(name))) {
      cpSync(join(root, 'scripts', name), join(checkout.folder, 'scripts', name));
    }
    checkout.write('package-lock.json', JSON.stringify({ packages: {} }));
    return checkout;
  }

  /** Whatever is started is this program instead, and there is nothing to install or to build. */
  stub(program: string): void {
    this.write('package.json', JSON.stringify({ type: 'module', scripts: { build: 'true' } }));
    this.write('node_modules/.package-lock.json', JSON.stringify({ packages: {} }));
    for (const name of ['standalone', 'gateway', 'writer', 'janitor']) {
      this.write(`services/${name}/dist/main.js`, program);
    }
  }

  /** What is started is what this repository builds. */
  useRepository(): void {
    const build = `npm --prefix ${root} run --silent build:server`;
    this.write('package.json', JSON.stringify({ type: 'module', scripts: { build } }));
    mkdirSync(join(root, '.cache'), { recursive: true });
    for (const name of ['libs', 'services', 'node_modules', '.cache'])
      symlinkSync(join(root, name), join(this.folder, name));
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
    if (basename(dirname(path)) === 'bin') chmodSync(join(this.folder, path), 0o755);
  }

  has(path: string): boolean {
    return existsSync(join(this.folder, path));
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  processId(name: string): number {
    return Number(this.read(`.run/${name}.pid`));
  }

  run(script: string, extra: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const { MODE: _mode, MONGODB_URI: _mongodb, REDIS_URL: _redis, DATA_DIR: _data, ...inherited } = process.env;
    const path = `${join(this.folder, 'bin')}:${process.env.PATH}`;
    const env = { ...inherited, NODE_ENV: 'development', PORT: String(this.port), ...this.#env, ...extra, PATH: path };
    return new Promise((resolve) => {
      const options = { env, timeout: 120_000 };
      execFile('bash', [join(this.folder, 'scripts', script)], options, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('down.sh', { DOWN_TIMEOUT: '0' });
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** SIGKILL is carried out by the kernel a moment later. */
export async function expectGone(pid: number): Promise<void> {
  for (let left = 250; left > 0; left--) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`process ${pid} is still there`);
}

/** A free port with a free one after it. */
async function freePorts(): Promise<number> {
  for (;;) {
    const port = await listen(0);
    if (port !== undefined && port < 65_535 && (await listen(port + 1)) !== undefined) return port;
  }
}

async function listen(wanted: number): Promise<number | undefined> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(wanted, () => resolve(true));
  });
  if (!listens) return undefined;
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
