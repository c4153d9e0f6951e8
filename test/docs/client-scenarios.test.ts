import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const page = readFileSync(join(process.cwd(), 'docs/client-scenarios.md'), 'utf8');
const folder = join(process.cwd(), 'libs/client/scenarios');

type Step = Readonly<Record<string, unknown>>;

interface Scenario {
  readonly name: string;
  readonly why: string;
  readonly steps: readonly Step[];
}

const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const scenarios = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Scenario);

/** The keys of every step that the page describes, by its word. */
function documented(): ReadonlyMap<string, readonly string[]> {
  const steps = page.slice(page.indexOf('\n## Steps'), page.indexOf('\n## Patterns'));
  const shapes = [...steps.matchAll(/`\{([^`]*)\}`/g)].map(([, shape = '']) => shape);
  return new Map(
    shapes.map((shape) => {
      const keys = [...shape.matchAll(/"(\w+)":/g)].map(([, key = '']) => key);
      return [keys[0] ?? '', keys];
    }),
  );
}

/** The words with a `$` that a value holds, at any depth. */
function operatorsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    ...(key.startsWith('$') ? [key] : []),
    ...operatorsIn(member),
  ]);
}

describe('docs/client-scenarios.md', () => {
  it('describes every step that a scenario has, with all its fields', () => {
    const known = documented();
    expect(known.size).toBeGreaterThan(15);
    for (const { name, steps } of scenarios) {
      for (const step of steps) {
        const [word = '', ...fields] = Object.keys(step);
        const unknown = fields.filter((field) => !known.get(word)?.includes(field));
        expect({ name, word, isKnown: known.has(word), unknown }).toEqual({ name, word, isKnown: true, unknown: [] });
      }
    }
  });

  it('describes no step that no scenario has', () => {
    const used = new Set(scenarios.flatMap(({ steps }) => steps.map((step) => Object.keys(step)[0])));
    expect([...documented().keys()].filter((word) => !used.has(word))).toEqual([]);
  });

  it('describes every word of the patterns', () => {
    const section = page.slice(page.indexOf('\n## Patterns'), page.indexOf('\n## A runner'));
    const rows = [...section.matchAll(/^\| `\{"(\$\w+)":/gm)].map(([, word = '']) => word);
    const used = new Set(scenarios.flatMap((scenario) => operatorsIn(scenario)));
    expect(rows.sort()).toEqual([...used].sort());
  });

  it('lists all scenarios with why they are', () => {
    const rows = [...page.matchAll(/^\| \[([\w-]+)\]\(\S+\) \| (.+) \|$/gm)].map(([, file, why]) => ({ file, why }));
    const expected = scenarios.map(({ name, why }, index) => {
      expect(files[index]).toBe(`${name.replaceAll(' ', '-')}.json`);
      return { file: name.replaceAll(' ', '-'), why };
    });
    expect(rows).toEqual(expected);
  });
});
