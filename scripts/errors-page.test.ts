import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { errorCatalogue } from '../libs/protocol/src/errors.ts';
import { withErrorTable } from './errors-page.ts';

const page = readFileSync(join(__dirname, '../docs/errors.md'), 'utf8');
const markers = '<!-- errors:start -->\n<!-- errors:end -->';

describe('docs/errors.md', () => {
  it('is up to date, else run `npm run docs:errors`', () => {
    expect(withErrorTable(page)).toBe(page);
  });

  it('has one row for every code, and none for others', () => {
    const codes = [...page.matchAll(/^\| `(\w+)` \| \d{3} \|/gm)].map(([, code]) => code);
    expect(codes).toEqual(Object.keys(errorCatalogue));
  });
});

describe('withErrorTable', () => {
  it('puts the table between the markers and leaves the rest alone', () => {
    const made = withErrorTable(`before\n${markers}\nafter\n`);
    expect(made).toMatch(/^before\n<!-- errors:start -->\n\| code \|/);
    expect(made).toMatch(/\|\n<!-- errors:end -->\nafter\n$/);
    expect(withErrorTable(made)).toBe(made);
  });

  it.each(['', '<!-- errors:start -->', '<!-- errors:end -->\n<!-- errors:start -->'])(
    'needs both markers: %j',
    (text) => {
      expect(() => withErrorTable(text)).toThrow('<!-- errors:start -->');
    },
  );
});
