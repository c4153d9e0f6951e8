import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const root = join(__dirname, '..');

interface Outcome {
  readonly code: number;
  readonly out: string;
}

function node(args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd }, (error, out) => {
      resolve({ code: error === null ? 0 : Number(error.code), out });
    });
  });
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-scripts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('whether npm ci is due', () => {
  const lock = {
    '': { version: '0.1.0' },
    'libs/rql': { version: '0.1.0' },
    'node_modules/pino': { version: '10.0.0' },
    'node_modules/@tidemark/rql': { resolved: 'libs/rql', link: true },
    'node_modules/for-windows': { version: '1.0.0', optional: true },
  };
  const { '': _root, 'node_modules/for-windows': _optional, ...installed } = lock;

  async function due(wanted: object, present?: object): Promise<boolean> {
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: wanted }));
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    if (present !== undefined) {
      writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: present }));
    }
    return (await node([join(__dirname, 'is-install-current.mjs')], folder)).code === 1;
  }

  it('is not where everything for this system is there', async () => {
    expect(await due(lock, installed)).toBe(false);
  });

  it('is in a fresh clone, for a new package, another version, or a new workspace', async () => {
    expect(await due(lock)).toBe(true);
    expect(await due({ ...lock, 'node_modules/new': { version: '1.0.0' } }, installed)).toBe(true);
    expect(await due({ ...lock, 'node_modules/pino': { version: '10.0.1' } }, installed)).toBe(true);
    expect(await due({ ...lock, 'node_modules/@tidemark/x': { resolved: 'libs/x', link: true } }, installed)).toBe(
      true,
    );
  });
});

describe('the lock file', () => {
  it('has every optional package, else `npm ci` refuses it: run `node scripts/complete-lock.mjs`', async () => {
    expect(await node([join(__dirname, 'complete-lock.mjs'), '--check'], root)).toEqual({ code: 0, out: '' });
  });

  it('is completed by what is missing, in its order, and only by that', async () => {
    const path = join(folder, 'package-lock.json');
    const packages = {
      '': { version: '0.1.0' },
      'node_modules/tool': {
        version: '2.0.0',
        dev: true,
        optionalDependencies: {
          '@tool/linux-x64-musl': '2.0.0',
          '@tool/darwin-arm64': '2.0.0',
          '@tool/inner': '^1.0.0',
        },
      },
      'node_modules/tool/node_modules/@tool/inner': { version: '1.0.0', optional: true },
      'node_modules/zebra': { version: '1.0.0' },
    };
    writeFileSync(path, JSON.stringify({ lockfileVersion: 3, packages }));
    const complete = join(__dirname, 'complete-lock.mjs');
    expect((await node([complete, '--check'], folder)).code).toBe(1);
    expect((await node([complete], folder)).code).toBe(0);
    const completed = JSON.parse(readFileSync(path, 'utf8')).packages;
    expect(completed).toEqual({
      ...packages,
      'node_modules/@tool/linux-x64-musl': {
        version: '2.0.0',
        cpu: ['x64'],
        dev: true,
        libc: ['musl'],
        optional: true,
        os: ['linux'],
      },
      'node_modules/@tool/darwin-arm64': {
        version: '2.0.0',
        cpu: ['arm64'],
        dev: true,
        optional: true,
        os: ['darwin'],
      },
    });
    expect(Object.keys(completed)[1]).toBe('node_modules/@tool/darwin-arm64');
    expect(await node([complete, '--check'], folder)).toEqual({ code: 0, out: '' });
  });
});

describe('the last line of a test run', () => {
  async function run(tests: Record<string, string>): Promise<Outcome & { readonly last: string | undefined }> {
    for (const [name, text] of Object.entries(tests)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, 'package.json'), '{}');
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    const reporter = `--reporters=${join(__dirname, 'count-reporter.mjs')}`;
    const outcome = await node(
      [jest, '--rootDir', folder, '--reporters=default', reporter, '--passWithNoTests'],
      folder,
    );
    return { ...outcome, last: outcome.out.trimEnd().split('\n').at(-1) };
  }

  const passing = "test('a', () => {}); test('b', () => {}); test.skip('c', () => {});";
  const failing = "test('d', () => { throw new Error('no'); });";

  it('counts what passed and what was skipped', async () => {
    const outcome = await run({ 'a.test.js': passing });
    expect(outcome).toMatchObject({ code: 0, last: 'Tests: 2 passed, 0 failed' });
    expect(outcome.out).toContain('\nSkipped: 1\n');
  }, 60_000);

  it('counts failures, and a file that does not load as one', async () => {
    const outcome = await run({ 'a.test.js': passing, 'b.test.js': failing, 'c.test.js': 'no javascript(' });
    expect(outcome).toMatchObject({ code: 1, last: 'Tests: 2 passed, 2 failed' });
  }, 60_000);

  it('a run without a test fails', async () => {
    expect(await run({})).toMatchObject({ code: 1, last: 'Tests: 0 passed, 0 failed' });
  }, 60_000);
});
