import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { bindQuery, type Json, parseQuery, QueryError } from '../src/index.ts';
import { printQuery } from './print.ts';

const page = readFileSync(join(__dirname, '../../../docs/queries.md'), 'utf8');
const blocks = [...page.matchAll(/```rql\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
const examples = blocks.flatMap((block) => block.trim().split('\n'));
const args: Json[] = ['u1', { $date: '2026-11-24T10:00:00Z' }, ['red', 'blue']];
const user = { sub: 'u1', teams: ['red'], roles: ['admin'] };

describe('docs/queries.md', () => {
  it('has examples for every chapter', () => {
    expect(examples.length).toBeGreaterThan(35);
  });

  it.each(examples)('shows a query that works: %s', (text) => {
    const query = bindQuery(parseQuery(text, { allowUser: true }), { args, user });
    expect(printQuery(query)).not.toBe('FALSEPREDICATE');
  });

  it('quotes the error as it is', () => {
    const quoted = /^ {4}(Invalid query .*)$/m.exec(page)?.[1];
    expect(() => parseQuery('a == 1 SORT(a ASC)')).toThrow(QueryError);
    expect(() => parseQuery('a == 1 SORT(a ASC)')).toThrow(quoted ?? 'no message is quoted');
  });
});
