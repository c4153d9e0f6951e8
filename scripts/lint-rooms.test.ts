import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = join(__dirname, '..');
const cruiser = join(root, 'node_modules/.bin/depcruise');

interface Manifest {
  readonly name: string;
  readonly exports: Record<string, Record<string, string>>;
}

/** The rooms of this repository with their real manifests and empty doors, so that violations can be planted. */
function plantRooms(folder: string): void {
  for (const file of ['.dependency-cruiser.cjs', 'package.json']) cpSync(join(root, file), join(folder, file));
  for (const scope of ['@tidemark', '@swc']) mkdirSync(join(folder, 'node_modules', scope), { recursive: true });
  symlinkSync(join(root, 'node_modules/@swc/core'), join(folder, 'node_modules/@swc/core'));
  for (const group of ['libs', 'services']) {
    for (const room of readdirSync(join(root, group))) plantRoom(folder, `${group}/${room}`);
  }
}

function plantRoom(folder: string, room: string): void {
  const text = readFileSync(join(root, room, 'package.json'), 'utf8');
  const manifest: Manifest = JSON.parse(text);
  write(join(folder, room, 'package.json'), text);
  for (const target of Object.values(manifest.exports)) {
    write(join(folder, room, `${target['tidemark-source']}`), 'export const door = 1;\n');
  }
  symlinkSync(join(folder, room), join(folder, 'node_modules', manifest.name));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** `rule: file` of every violation. */
async function violations(folder: string): Promise<string[]> {
  const args = [cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', '.'];
  const run = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 1 << 26 }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  if (run.stderr !== '') throw new Error(run.stderr);
  const report: { summary: { violations: { rule: { name: string }; from: string }[] } } = JSON.parse(run.stdout);
  return report.summary.violations.map((found) => `${found.rule.name}: ${found.from}`).sort();
}

describe('the rules of the rooms', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-rooms-'));
    plantRooms(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('report nothing where there is nothing', async () => {
    write(
      join(folder, 'libs/rql/src/fine.ts'),
      "import type { door } from '@tidemark/protocol';\nexport type X = typeof door;\n",
    );
    expect(await violations(folder)).toEqual([]);
  }, 60_000);

  it('report every kind of violation, and only that', async () => {
    const planted: Record<string, string> = {
      'libs/protocol/src/inner.ts': 'export const inner = 1;',
      'libs/protocol/src/upward.ts': "export { door } from '../../rql/src/index.ts';",
      'libs/protocol/src/own.ts': "import { door } from './index.ts';\nexport const x = door;",
      'libs/rql/src/inside.ts': "import { inner } from '../../protocol/src/inner.ts';\nexport const x = inner;",
      'libs/rql/src/type-only.ts': "import type { door } from '@tidemark/storage';\nexport type X = typeof door;",
      'libs/rql/src/lazy.ts': "export const load = () => import('@tidemark/transport');",
      'libs/rql/src/using.ts': [
        'export async function run(open: () => Promise<AsyncDisposable>) {',
        "  await using one = (await import('@tidemark/gateway')) && (await open());",
        "  for (using two of (await import('@tidemark/janitor')) ? [one] : []) await import('@tidemark/writer');",
        '}',
      ].join('\n'),
      'libs/rql/src/page.tsx': "import { door } from '@tidemark/config';\nexport const page = <b>{door}</b>;",
      'libs/rql/src/ring-a.ts': "import { b } from './ring-b.ts';\nexport const a = () => b;",
      'libs/rql/src/ring-b.ts': "import { a } from './ring-a.ts';\nexport const b = () => a;",
      'libs/config/src/undeclared.ts': "import 'left-pad';",
      'libs/config/src/test-import.ts': "import './some.test.ts';",
      'libs/config/src/some.test.ts': "import 'left-pad';\nimport 'jest';",
      'libs/config/src/testing/rig.ts': "import 'jest';\nexport const rig = 1;",
      'libs/config/src/uses-rig.ts': "export { rig } from './testing/rig.ts';",
      'services/writer/src/sideways.ts': "import { door } from '@tidemark/gateway';\nexport const x = door;",
    };
    for (const name of ['left-pad', 'jest']) {
      write(
        join(folder, `node_modules/${name}/package.json`),
        JSON.stringify({ name, version: '1.0.0', main: 'index.js' }),
      );
      write(join(folder, `node_modules/${name}/index.js`), 'module.exports = 1;');
    }
    for (const [path, text] of Object.entries(planted)) write(join(folder, path), `${text}\n`);
    expect(await violations(folder)).toEqual([
      'door:libs/protocol: libs/rql/src/inside.ts',
      'no-circular: libs/rql/src/ring-a.ts',
      'no-test-in-source: libs/config/src/test-import.ts',
      'no-test-in-source: libs/config/src/uses-rig.ts',
      'no-undeclared-package: libs/config/src/undeclared.ts',
      'no-undeclared-test-package: libs/config/src/some.test.ts',
      'own-door:libs/protocol: libs/protocol/src/own.ts',
      'room:libs/protocol: libs/protocol/src/upward.ts',
      'room:libs/rql: libs/rql/src/lazy.ts',
      'room:libs/rql: libs/rql/src/page.tsx',
      'room:libs/rql: libs/rql/src/type-only.ts',
      'room:libs/rql: libs/rql/src/using.ts',
      'room:libs/rql: libs/rql/src/using.ts',
      'room:libs/rql: libs/rql/src/using.ts',
      'room:services/writer: services/writer/src/sideways.ts',
    ]);
  }, 60_000);

  it('report a room that is used without being declared', async () => {
    const path = join(folder, 'libs/rql/package.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    delete manifest.dependencies['@tidemark/protocol'];
    write(path, JSON.stringify(manifest));
    expect(await violations(folder)).toContain('undeclared-room:libs/rql: libs/rql/src/fine.ts');
  }, 60_000);
});
