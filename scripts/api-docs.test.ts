import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

jest.setTimeout(120_000);

const root = join(__dirname, '..');
const tool = join(__dirname, 'api-docs');
const pages = join(root, 'docs/api');
const typedoc = join(dirname(createRequire(join(tool, 'package.json')).resolve('typedoc/package.json')), 'bin/typedoc');
const plugin = createRequire(join(tool, 'package.json')).resolve('typedoc-plugin-markdown');
const packageOf = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

interface Run {
  readonly code: number;
  readonly output: string;
}

/** Runs the generator as `npm run docs:api` does, with the output elsewhere. */
function generate(out: string, ...more: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [typedoc, '--out', out, ...more], { cwd: tool }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-api-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('docs/api', () => {
  it('is up to date, else run `npm run docs:api`; every exported symbol has a docstring', async () => {
    const out = join(folder, 'made');
    const { code, output } = await generate(out);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(readdirSync(pages).sort()).toEqual(readdirSync(out).sort());
    for (const page of readdirSync(out)) {
      expect(readFileSync(join(pages, page), 'utf8')).toBe(readFileSync(join(out, page), 'utf8'));
    }
  });

  it('has a page for every subpath that the package exports', () => {
    const { exports } = packageOf('libs/client') as { exports: Record<string, { 'tidemark-source'?: string }> };
    const sources = Object.values(exports).flatMap((target) => target['tidemark-source'] ?? []);
    const { entryPoints } = JSON.parse(readFileSync(join(tool, 'typedoc.json'), 'utf8')) as { entryPoints: string[] };
    const documented = entryPoints.map((entry) => `./${relative(join(root, 'libs/client'), join(tool, entry))}`);
    expect(documented.sort()).toEqual(sources.sort());
    expect(readdirSync(pages)).toHaveLength(documented.length + 1);
  });
});

describe('the generator', () => {
  const plant = (name: string, text: string) => {
    const entry = join(folder, `${name}.ts`);
    writeFileSync(entry, `/**\n * Planted.\n *\n * @module ${name}\n */\n${text}\n`);
    const tsconfig = join(folder, `${name}.tsconfig.json`);
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions: { module: 'nodenext', types: [] }, files: [entry] }));
    const options = join(folder, `${name}.json`);
    const base = { extends: [join(tool, 'typedoc.json')], plugin: [plugin], intentionallyNotExported: [] };
    writeFileSync(options, JSON.stringify({ ...base, entryPoints: [entry], tsconfig }));
    return generate(join(folder, name), '--options', options);
  };

  it('takes what is documented', async () => {
    expect(await plant('good', '/** One. */\nexport const one = 1;')).toMatchObject({ code: 0 });
  });

  it.each([
    ['function', 'export function naked(): void {}'],
    ['type', 'export type naked = string;'],
    ['method', '/** A class. */\nexport class Dressed {\n  naked(): void {}\n}'],
  ])('fails on a %s without a docstring', async (kind, text) => {
    const { code, output } = await plant(kind, text);
    expect(code).not.toBe(0);
    expect(output).toMatch(/naked .*does not have any documentation/);
  });
});
