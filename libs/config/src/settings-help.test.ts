import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadSettings, settingsEnvExample, settingsHelp, settingsTable, withSettingsTable } from './index.ts';
import { settingRows } from './settings-table.ts';

const root = join(__dirname, '../../..');
const howToUpdate = 'run `npm run docs:settings`';

describe('the help', () => {
  it('is what it was', () => {
    expect(settingsHelp()).toMatchSnapshot();
  });

  it('names every variable', () => {
    for (const [, row] of settingRows) expect(settingsHelp()).toContain(`  ${row.env}\n`);
  });
});

describe('the documents made from the table', () => {
  it(`docs/operations.md is up to date, else ${howToUpdate}`, () => {
    const document = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    expect(document).toContain(settingsTable());
    expect(withSettingsTable(document)).toBe(document);
  });

  it(`.env.example is up to date, else ${howToUpdate}`, () => {
    expect(readFileSync(join(root, '.env.example'), 'utf8')).toBe(settingsEnvExample());
  });

  it('an old table is replaced, and a document without a place for it refused', () => {
    const old = 'before\n<!-- settings:start -->\nold\n<!-- settings:end -->\nafter\n';
    expect(withSettingsTable(old)).toBe(
      `before\n<!-- settings:start -->\n${settingsTable()}\n<!-- settings:end -->\nafter\n`,
    );
    expect(() => withSettingsTable('nothing')).toThrow('settings:start');
  });

  it('the example, taken as it is without the signs of comment, starts a development server as nothing does', () => {
    const assignments = settingsEnvExample().matchAll(/^#([A-Z_]+)=(.*)$/gm);
    const env = Object.fromEntries([...assignments].map(([, name, value]) => [name, value]));
    expect(Object.keys(env)).toHaveLength(settingRows.length);
    // The hub alone would miss its pair: it is there to be set together with the connection string.
    delete env.WEB_PUBSUB_HUB_NAME;
    const readFile = () => undefined;
    expect(loadSettings({ env, readFile })).toEqual(loadSettings({ env: {}, readFile }));
  });
});

describe('the table', () => {
  it('has every name once', () => {
    const names = settingRows.flatMap(([, row]) => [row.env, row.file ?? row.env]);
    expect(new Set(names).size).toBe(
      settingRows.length + settingRows.filter(([, row]) => row.file !== undefined).length,
    );
  });

  it('derives the name of a field from its variable, with the few exceptions told', () => {
    const camelCase = (env: string) => env.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    expect(settingRows.filter(([name, row]) => camelCase(row.env) !== name)).toEqual([]);
  });

  it('has defaults that its own checks accept', () => {
    const facts = [false, true].flatMap((production) => [false, true].map((fleet) => ({ production, fleet })));
    for (const [, row] of settingRows) {
      for (const fact of facts) {
        const value = row.fallback(fact);
        if (value !== undefined) expect([row.env, row.kind.fromJson(value)]).toEqual([row.env, value]);
      }
    }
  });
});
