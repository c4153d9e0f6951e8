import { describe, expect, it } from '@jest/globals';
import { bindQuery, type Json, parseQuery } from '../src/index.ts';
import { matches } from './matching.ts';
import { printQuery } from './print.ts';

function text(source: string, args: readonly Json[] = []): string {
  return printQuery(bindQuery(parseQuery(source), { args }));
}

describe('a printed query', () => {
  it.each<Json>([
    'plain',
    "quote' and \\ backslash",
    'line\nbreak\ttab\0nul\u2028',
    '\uD800 lone',
    36028797018963970,
    -1e21,
    5e-324,
    0.1,
    { $numberLong: '9223372036854775807' },
    { $numberDecimal: '1E-6176' },
    { $numberDouble: '-Infinity' },
    { $date: { $numberLong: '-8640000000000000' } },
    { $date: '-000001-01-01T00:00:00.123Z' },
    { $date: { $numberLong: '-1' } },
    { $binary: { base64: 'AQID', subType: '80' } },
    { $uuid: '3b241101-e2bb-4255-8caf-4136c566a962' },
    { name: "it's", list: [1, { x: null }], 'odd key': { $oid: '5f0f1b1b1b1b1b1b1b1b1b1b' } },
  ])('keeps the value %j', (value) => {
    const printed = text('a == $0', [value]);
    expect(text(printed)).toBe(printed);
    expect(matches(printed, { a: value })).toBe(true);
  });
});
