import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Author, brandAs, type CollectionName, type Document, type Json, type UserId } from '@tidemark/protocol';
import { parseRules } from './parse-rules.ts';
import { createRules } from './rules.ts';

const page = readFileSync(join(__dirname, '../../../docs/rules.md'), 'utf8');
const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1] as string);

describe('the examples of docs/rules.md', () => {
  it('are there', () => {
    expect(examples.length).toBeGreaterThanOrEqual(7);
  });

  it.each(examples.map((text) => [text.split('\n')[1], text]))('%s', (_, text) => {
    expect(parseRules(text as string, 'example.yaml').collections.size).toBeGreaterThan(0);
  });

  const documentOf = (fields: Record<string, Json>): Document => ({ _id: 'd1', ...fields });
  const ann: Author = { userId: brandAs<UserId>('ann'), claims: { teams: ['red'], role: 'editor', regions: ['eu'] } };
  const bob: Author = { userId: brandAs<UserId>('bob'), claims: {} };
  const reading = (collection: string, who: Author, fields: Record<string, Json>) => {
    const text = examples.find((one) => one.includes(`  ${collection}:\n`)) ?? '';
    const rules = createRules(parseRules(text, 'example.yaml'), { production: true });
    return rules.canRead(brandAs<CollectionName>(collection), who, documentOf(fields));
  };

  it.each<[string, Record<string, Json>, boolean, boolean]>([
    ['notes', { owner: 'ann' }, true, false],
    ['notes', {}, false, false],
    ['cards', { team: 'red' }, true, false],
    ['cards', { team: 'blue' }, false, false],
    ['articles', { published: true }, true, true],
    ['articles', { published: false }, true, false],
    ['lists', { owner: 'x', members: ['bob', 'ann'] }, true, true],
    ['lists', { owner: 'bob', members: [] }, false, true],
    ['invoices', { region: 'eu', state: 'open' }, true, false],
    ['invoices', { region: 'eu', state: 'paid' }, false, false],
  ])('%s %j: ann %s, bob %s', (collection, fields, annReads, bobReads) => {
    expect(reading(collection, ann, fields)).toBe(annReads);
    expect(reading(collection, bob, fields)).toBe(bobReads);
  });

  it('the message at the top is what the server says', () => {
    const text = 'collections:\n  tasks:\n    merge: field\n    read: owner == )\n';
    expect(() => parseRules(text, 'rules.yaml')).toThrow(
      page.match(/^rules\.yaml:.*$/m)?.[0] ?? 'no message in the page',
    );
  });
});
