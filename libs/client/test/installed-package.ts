import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const client = join(__dirname, '..');
const repository = join(client, '../..');
const bin = join(repository, 'node_modules/.bin');

/** What npm would fetch besides the package itself, and what a TypeScript project brings along. */
const fromRegistry = ['idb', 'lmdb', 'socket.io-client', 'zod', 'react', 'react-dom', 'mongodb'];
const types = ['@types/react', '@types/node', '@types/react-dom'];

/**
 * A program's folder with the client installed from its tarball: built, packed and unpacked, without this repository around it.
 * Its dependencies are links to those that are installed here, so that no network is needed.
 */
export class InstalledPackage {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  static async install(): Promise<InstalledPackage> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'tidemark-package-')));
    const built = join(folder, 'built');
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    await run('tsc', ['-b', client], { env });
    await run(process.execPath, [join(client, 'scripts/build-package.mjs'), built], { env });
    const { stdout } = await run('npm', ['pack', '--json', built], { cwd: folder });
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    const modules = join(folder, 'node_modules');
    await mkdir(join(modules, '@tidemark/client'), { recursive: true });
    await run(
      'tar',
      ['-xzf', basename(packed!.filename), '--strip-components=1', '-C', join(modules, '@tidemark/client')],
      {
        cwd: folder,
      },
    );
    await rm(built, { recursive: true });
    for (const name of [...fromRegistry, ...types]) await link(name, join(modules, name));
    return new InstalledPackage(folder);
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, name)), { recursive: true });
      await writeFile(join(this.folder, name), text);
    }
  }

  /** Runs a program under Node; CommonJS cannot fall back on ES modules. Throws with its output when it fails. */
  async node(program: string): Promise<string> {
    const { stdout } = await run(process.execPath, ['--no-experimental-require-module', program], {
      cwd: this.folder,
      timeout: 30_000,
    });
    return stdout;
  }

  /** What the compiler finds wrong with a TypeScript project below the folder. */
  async complaints(project: string): Promise<string> {
    const { stdout } = await run(join(bin, 'tsc'), ['-p', project], { cwd: this.folder }).catch((error) => error);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Some are installed for the whole repository, some for the client only. */
async function link(name: string, path: string): Promise<void> {
  const found = createRequire(join(client, 'package.json')).resolve.paths(name) ?? [];
  await mkdir(dirname(path), { recursive: true });
  for (const folder of found) {
    const target = await realpath(join(folder, name)).catch(() => undefined);
    if (target !== undefined) return await symlink(target, path);
  }
  throw new Error(`${name} is not installed`);
}
