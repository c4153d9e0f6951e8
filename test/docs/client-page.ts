import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface CodeBlock {
  readonly language: 'ts' | 'tsx';
  /** The file that the page tells the reader to write; undefined for a piece of code. */
  readonly path: string | undefined;
  readonly code: string;
}

/** The blocks of TypeScript in a page, in order. */
export function blocksIn(page: string): readonly CodeBlock[] {
  return [...page.matchAll(/^```(tsx?)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, path, code = '']) => ({
    language: language as CodeBlock['language'],
    path,
    code,
  }));
}

/** What a piece of code may use without importing it; the page says so. */
const prelude = `
import { createClient, type LocalStore, MemoryStore } from '@tidemark/client';
import { TidemarkProvider, useDocument, useMutation, useQuery, useSyncStatus } from '@tidemark/client/react';
import { Suspense } from 'react';
import App from '../src/App';
import { client, type Task } from '../src/tidemark';
const tasks = client.collection<Task>('tasks');
`;

/** A piece of code as a module: its imports on top, the rest in a function, so that it may name things as it likes. */
export function fragmentModule(code: string): string {
  const isImport = (line: string) => line.startsWith('import ');
  const lines = code.split('\n');
  const imports = lines.filter(isImport).join('\n');
  const body = lines.filter((line) => !isImport(line)).join('\n');
  return `${prelude}${imports}\nexport async function fragment() {\n${body}\n}\n`;
}

const tsconfig = {
  compilerOptions: {
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true },
    ...{ target: 'es2023', lib: ['es2023', 'esnext.string', 'dom', 'dom.iterable'], types: ['node'], jsx: 'react-jsx' },
    ...{ module: 'esnext', moduleResolution: 'bundler', customConditions: ['tidemark-source'] },
    ...{ allowImportingTsExtensions: true, noEmit: true, skipLibCheck: true },
  },
  include: ['src', 'fragments'],
};

const indexHtml = `<!doctype html>
<html lang="en">
  <head>
    <title>tasks</title>
    <link rel="icon" href="data:," />
  </head>
  <body>
    <div id="root"></div>
    <script type="module" src="/src/main.tsx"></script>
  </body>
</html>
`;

/** What a reader of docs/client.md has written in the end: a folder with its files, and each piece of code as a file of its own. */
export class ReadersFolder implements AsyncDisposable {
  readonly path: string;
  readonly blocks: readonly CodeBlock[];

  private constructor(path: string, blocks: readonly CodeBlock[]) {
    this.path = path;
    this.blocks = blocks;
  }

  /** Made where Node finds the packages of the repository. */
  static async write(page: string): Promise<ReadersFolder> {
    const cache = join(process.cwd(), '.cache');
    await mkdir(cache, { recursive: true });
    const folder = new ReadersFolder(await mkdtemp(join(cache, 'reader-')), blocksIn(page));
    await folder.#put('package.json', JSON.stringify({ type: 'module' }));
    await folder.#put('tsconfig.json', JSON.stringify(tsconfig));
    await folder.#put('index.html', indexHtml);
    for (const [index, { path, language, code }] of folder.blocks.entries()) {
      if (path === undefined) await folder.#put(`fragments/block-${index}.${language}`, fragmentModule(code));
      else await folder.#put(path, code);
    }
    return folder;
  }

  /** Changes a file, which must hold the text. */
  async replace(path: string, text: string, by: string): Promise<void> {
    const before = await readFile(join(this.path, path), 'utf8');
    if (!before.includes(text)) throw new Error(`${path} does not hold ${text}`);
    await this.#put(path, before.replace(text, by));
  }

  async #put(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.path, path)), { recursive: true });
    await writeFile(join(this.path, path), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
