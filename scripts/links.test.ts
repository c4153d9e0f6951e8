import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = resolve(__dirname, '..');

interface Link {
  readonly from: string;
  readonly target: string;
}

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Relative links of a page, outside blocks of code. */
function linksIn(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/i.test(target));
}

/** The names that headings can be linked by. Of equal headings the second ends in `-1`, and so on. */
function anchorsIn(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  const counts = new Map<string, number>();
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const name = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
}

function isBroken({ from, target }: Link): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : resolve(dirname(from), path);
  if (!existsSync(file)) return true;
  if (anchor === undefined || statSync(file).isDirectory() || !file.endsWith('.md')) return false;
  return !anchorsIn(readFileSync(file, 'utf8')).includes(anchor);
}

const pages = [
  ...readdirSync(root)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(root, name)),
  ...markdownFiles(join(root, 'docs')),
];

describe('the documents', () => {
  it.each(pages.map((page) => [relative(root, page), page]))('%s links to what exists', (_, from) => {
    const broken = linksIn(readFileSync(from, 'utf8')).filter((target) => isBroken({ from, target }));
    expect(broken).toEqual([]);
  });

  it('are the ones that readers are sent to', () => {
    const names = pages.map((page) => relative(root, page));
    expect(names).toEqual(
      expect.arrayContaining(['docs/protocol.md', 'docs/errors.md', 'docs/tour.md', 'docs/rules.md']),
    );
  });
});

describe('the check', () => {
  const from = join(root, 'docs/errors.md');

  it('tells equal headings apart', () => {
    expect(anchorsIn('# One\n## Two words\n## One\n### `one`')).toEqual(['one', 'two-words', 'one-1', 'one-2']);
  });

  it('finds links in prose and not in code', () => {
    expect(linksIn('see [a](a.md), [b](b.md#x)\n```\n[c](c.md)\n```\n`[d](d.md)` [e](https://x.org)')).toEqual([
      'a.md',
      'b.md#x',
    ]);
  });

  it.each([
    ['protocol.md', false],
    ['protocol.md#the-stream-of-a-socket', false],
    ['../libs/protocol/src', false],
    ['#first-words-that-stay', false],
    ['protocoll.md', true],
    ['protocol.md#nowhere', true],
    ['../libs/nothing.ts', true],
    ['#nowhere', true],
  ])('takes %s for broken: %s', (target, expected) => {
    expect(isBroken({ from, target })).toBe(expected);
  });
});
