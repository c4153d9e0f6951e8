import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DemoSite, patience } from '../browser/demo-site.ts';
import { startServer } from '../rig/server.ts';
import { blocksIn, fragmentModule, ReadersFolder } from './client-page.ts';

jest.setTimeout(patience * 3);

const root = process.cwd();
const page = readFileSync(join(root, 'docs/client.md'), 'utf8');
const bin = (name: string) => join(root, 'node_modules/.bin', name);

interface Run {
  readonly code: unknown;
  readonly output: string;
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return new Promise((resolve) => {
    const options = { cwd: folder.path, env: { ...process.env, ...env }, timeout: patience };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, output: stdout + stderr });
    });
  });
}

let folder: ReadersFolder;

beforeAll(async () => {
  folder = await ReadersFolder.write(page);
});

afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

describe('docs/client.md', () => {
  it('has code that compiles, every block of it', async () => {
    expect(folder.blocks.length).toBeGreaterThan(20);
    expect(await run(bin('tsc'), ['-p', '.'])).toEqual({ code: 0, output: '' });
  });

  it('has a program for Node that does what it says', async () => {
    await using server = await startServer({ mode: 'standalone' });
    const args = ['--conditions=tidemark-source', 'src/node.ts'];
    const env = { URL: server.url, STORE: join(folder.path, 'store') };
    expect(await run(bin('tsx'), args, env)).toEqual({ code: 0, output: 'written by a robot\n' });
  });

  it('leads to a list that two people share, also after an absence', async () => {
    await folder.replace('src/tidemark.ts', "'http://localhost:3000'", 'location.origin');
    await using site = await DemoSite.open(folder.path);
    await using demo = await site.serve();
    const [alice, bob] = [
      await demo.page(await demo.profile(), '/?user=alice'),
      await demo.page(await demo.profile(), '/?user=bob'),
    ];
    const add = async (on: typeof alice, title: string) => {
      await on.getByPlaceholder('What is to be done?').fill(title);
      await on.getByRole('button', { name: 'Add' }).click();
    };
    await add(alice, 'buy milk');
    await bob.getByLabel('buy milk').check();
    await alice.getByRole('checkbox', { name: 'buy milk', checked: true }).waitFor();

    await alice.getByRole('button', { name: 'Go offline' }).click();
    await alice.getByText('paused, 0 waiting').waitFor();
    await add(alice, 'call Ada');
    await add(bob, 'feed the cat');
    await alice.getByText('paused, 1 waiting').waitFor();
    expect(await alice.getByText('feed the cat').count()).toBe(0);
    await alice.reload();
    for (const [who, title] of [
      [alice, 'call Ada'],
      [bob, 'call Ada'],
      [alice, 'feed the cat'],
    ] as const) {
      await who.getByText(title).waitFor();
    }
    await bob.getByRole('listitem').filter({ hasText: 'buy milk' }).getByRole('button').click();
    await alice.getByText('buy milk').waitFor({ state: 'detached' });
  });

  it('names every code that only a client has', () => {
    const source = readFileSync(join(root, 'libs/client/src/client-error.ts'), 'utf8');
    const codes = [...source.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, code]) => code);
    const section = page.slice(page.indexOf('\n## Errors'), page.indexOf('\n## Testing your app'));
    const rows = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(5);
    expect(rows).toEqual(codes);
  });
});

describe('README.md', () => {
  it('has an example that runs', async () => {
    await using server = await startServer({ mode: 'standalone' });
    const [example] = blocksIn(readFileSync(join(root, 'README.md'), 'utf8'));
    const code = example?.code.replace('http://localhost:3000', server.url) ?? '';
    await using reader = await ReadersFolder.write(`\`\`\`ts src/example.ts\n${code}await client.close();\n\`\`\`\n`);
    const args = ['--conditions=tidemark-source', join(reader.path, 'src/example.ts')];
    const { code: exit, output } = await run(bin('tsx'), args);
    expect({ exit, output }).toEqual({ exit: 0, output: expect.stringMatching(/^\[\]\n\[\s+\{[^}]*'buy milk'/) });
  });
});

describe('the check', () => {
  it('finds blocks of TypeScript, with the file that they are for', () => {
    const text = '```ts src/a.ts\none\n```\n```sh\ntwo\n```\n\n```tsx\nthree\n```\n';
    expect(blocksIn(text)).toEqual([
      { language: 'ts', path: 'src/a.ts', code: 'one\n' },
      { language: 'tsx', path: undefined, code: 'three\n' },
    ]);
  });

  it('notices code that does not compile', async () => {
    const broken = "```ts\nimport { thing } from 'nowhere';\nawait tasks.insrt({});\n```\n";
    await using reader = await ReadersFolder.write(page.replace(/^```tsx\n[\s\S]*?^```$/m, broken));
    const inReader = { cwd: reader.path };
    const output = await new Promise<string>((resolve) => {
      execFile(bin('tsc'), ['-p', '.'], inReader, (_error, stdout) => resolve(stdout));
    });
    expect(output).toMatch(/'nowhere'/);
    expect(output).toMatch(/insrt/);
  });

  it('puts imports before the rest', () => {
    expect(fragmentModule("await one();\nimport { one } from 'x';\n")).toMatch(
      /import \{ one \} from 'x';\nexport async function fragment\(\) \{\nawait one\(\);/,
    );
  });
});
