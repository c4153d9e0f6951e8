import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { brandAs, type CollectionName } from '@tidemark/protocol';
import { loadRulesFile, parseRules } from './parse-rules.ts';
import { RulesError } from './rules-error.ts';

const name = (text: string) => brandAs<CollectionName>(text);

function refusal(text: string): RulesError {
  try {
    parseRules(text, 'rules.yaml');
  } catch (error) {
    if (error instanceof RulesError) return error;
    throw error;
  }
  throw new Error('accepted');
}

/** The text with the position of `▶` taken out: what the error must point at. */
function marked(source: string): { text: string; line: number; column: number } {
  const at = source.indexOf('▶');
  const lines = source.slice(0, at).split('\n');
  return { text: source.replace('▶', ''), line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

describe('a file that is accepted', () => {
  const yaml = `
# who may do what
collections:
  tasks:
    read: owner == $user.sub OR team IN $user.teams
    insert: owner == $user.sub
    update: "owner == $user.sub"
    delete: false
    merge: field
    indexes: [owner, address.city]
    schema: { type: object, required: [title] }
  "news.items": { read: true }
  "*":
    read: >-
      public == true
      AND hidden != true
`;

  it('lists its collections and their settings', () => {
    const file = parseRules(yaml, 'rules.yaml');
    expect([...file.collections.keys()]).toEqual(['tasks', 'news.items']);
    expect(file.collections.get(name('tasks'))).toMatchObject({ merge: 'field', indexes: ['owner', 'address.city'] });
    expect(file.collections.get(name('news.items'))).toMatchObject({ merge: 'document', indexes: [] });
    expect(file.fallback).toBeDefined();
    expect(file.fileName).toBe('rules.yaml');
  });

  it('may be JSON, indented with tabs too', () => {
    const json = JSON.stringify({ collections: { tasks: { read: 'a == "b"', indexes: ['a'] }, '*': {} } }, null, '\t');
    const file = parseRules(json, 'rules.json');
    expect(file.collections.get(name('tasks'))?.indexes).toEqual(['a']);
  });

  it('may list nothing', () => {
    const file = parseRules('collections: {}', 'rules.yaml');
    expect(file.collections.size).toBe(0);
    expect(file.fallback).toBeUndefined();
  });

  it('may repeat a part by an alias', () => {
    const text = 'collections:\n  a: &own { read: owner == $user.sub, indexes: [owner] }\n  b: *own\n';
    expect(parseRules(text, 'f').collections.get(name('b'))?.indexes).toEqual(['owner']);
  });
});

describe('a file that is refused says path and position', () => {
  const cases: [string, string, string, RegExp][] = [
    ['no YAML', 'collections: ▶]', '', /./],
    ['a key twice', 'collections:\n  a: {}\n  ▶a: {}', '', /unique/],
    ['a tag', 'collections: ▶!!js/function "x"', '', /tag/i],
    ['two documents', 'collections: {}\n▶---\na: b', '', /document/i],
    ['a list', '▶[]', '', /must be a mapping, not a list/],
    ['other keys', 'collections: {}\n▶rules: {}', 'rules', /unknown key; expected collections/],
    ['collections of nothing', 'collections:▶', 'collections', /must be a mapping, not nothing/],
    ['a list of collections', 'collections: ▶[a]', 'collections', /must be a mapping, not a list/],
    ['a reserved name', 'collections:\n  ▶_sync_x: {}', 'collections._sync_x', /reserved/],
    ['a reserved name', 'collections:\n  ▶system.users: {}', 'collections."system.users"', /reserved/],
    ['an impossible name', 'collections:\n  ▶a$b: {}', 'collections.a$b', /not the name of a collection/],
    ['a number as a name', 'collections:\n  ▶7: {}', 'collections', /key must be text/],
    ['a list as a name', 'collections:\n  ? ▶[a]\n  : {}', 'collections', /key must be text/],
    ['a text as a collection', 'collections:\n  a: ▶open', 'collections.a', /must be a mapping, not a text/],
    [
      'a typo',
      'collections:\n  a:\n    ▶reed: true',
      'collections.a.reed',
      /unknown key; expected read, insert, update/,
    ],
    ['a number as a rule', 'collections:\n  a: { read: ▶1 }', 'collections.a.read', /not the number 1/],
    ['a list as a rule', 'collections:\n  a: { read: ▶[x] }', 'collections.a.read', /not a list/],
    ['no rule after the colon', 'collections:\n  a:\n    read:▶', 'collections.a.read', /not nothing/],
    ['a rule without a colon', 'collections: { a: { ▶read } }', 'collections.a.read', /not nothing/],
    ['an empty rule', 'collections:\n  a: { read: ▶"" }', 'collections.a.read', /is empty: write true/],
    ['a blank rule', 'collections:\n  a: { read: ▶"  " }', 'collections.a.read', /is empty/],
    ['an argument', 'collections:\n  a: { read: ▶owner == $0 }', 'collections.a.read', /no arguments/],
    ['another merge', 'collections:\n  a: { merge: ▶deep }', 'collections.a.merge', /document or field/],
    ['a boolean merge', 'collections:\n  a: { merge: ▶true }', 'collections.a.merge', /document or field/],
    ['indexes as text', 'collections:\n  a: { indexes: ▶owner }', 'collections.a.indexes', /must be a list/],
    ['a number as index', 'collections:\n  a: { indexes: [b, ▶7] }', 'collections.a.indexes.1', /path of a field/],
    ['an index of nothing', 'collections:\n  a: { indexes: [▶"a..b"] }', 'collections.a.indexes.0', /key is empty/],
    ['an operator as index', 'collections:\n  a: { indexes: [▶a.$b] }', 'collections.a.indexes.0', /starts with \$/],
    ['an index twice', 'collections:\n  a: { indexes: [b, ▶b] }', 'collections.a.indexes.1', /listed twice/],
    ['a schema that is true', 'collections:\n  a: { schema: ▶true }', 'collections.a.schema', /must be a mapping/],
    ['merge keys', 'collections:\n  a: &x {}\n  b:\n    ▶<<: *x', 'collections.b.<<', /unknown key/],
  ];

  it.each(cases)('%s: %j', (_, source, path, reason) => {
    const { text, line, column } = marked(source);
    const error = refusal(text);
    expect(error.message).toMatch(reason);
    expect({ path: error.path, line: error.line, column: error.column }).toEqual({ path, line, column });
    expect(error.message).toContain(`rules.yaml:${line}:${column}: ${path}`);
  });

  it.each(['', '# only a comment', '---'])('nothing in it: %j', (text) => {
    expect(refusal(text).message).toMatch(/^rules\.yaml.*collections: is missing/);
  });

  it('a mapping without collections', () => {
    expect(refusal('{}').message).toBe('rules.yaml:1:1: collections: is missing');
  });

  it('aliases that multiply', () => {
    const rows = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [one, next] of ['ab', 'bc', 'cd', 'de', 'ef']) rows.push(`${next}: &${next} [${`*${one}, `.repeat(9)}]`);
    const schema = rows.map((row) => `      ${row}`).join('\n');
    expect(refusal(`collections:\n  t:\n    schema:\n${schema}`).message).toMatch(/aliases/);
  });
});

describe('a query that does not parse is pointed at inside the file', () => {
  const at = (rule: string) => `collections:\n  tasks:\n    read: ${rule}\n    merge: field\n`;

  it.each([
    ['plain', 'owner == ▶)'],
    ['plain over two lines', 'owner == $user.sub\n      AND ▶)'],
    ['in single quotes', "'owner == ▶)'"],
    ['in double quotes', '"owner == ▶)"'],
    ['in double quotes over two lines', '"owner == $user.sub\n      AND ▶)"'],
    ['literal block', '|\n      owner == $user.sub\n      AND ▶)'],
    ['folded block', '>-\n      owner == $user.sub\n\n      AND ▶)'],
    ['a sort order', 'owner == $user.sub ▶SORT(a ASC)'],
    ['a claim without a name', 'owner == $user▶'],
  ])('%s', (_, rule) => {
    const { text, line, column } = marked(at(rule));
    const error = refusal(text);
    expect(error.path).toBe('collections.tasks.read');
    expect({ line: error.line, column: error.column }).toEqual({ line, column });
    expect(error.message).toMatch(/Invalid query at position \d+/);
  });

  it('after an escape the text itself is pointed at', () => {
    const { text, line, column } = marked(at('▶"owner\\u0020== )"'));
    expect(refusal(text)).toMatchObject({ line, column });
  });

  it('through an alias, where the text stands', () => {
    const { text, line, column } = marked('collections:\n  a: { read: &r owner == ▶] }\n');
    expect(refusal(text)).toMatchObject({ line, column });
    const used = marked('collections:\n  a: &x { indexes: [▶7] }\n  b: *x\n');
    expect(refusal(used.text)).toMatchObject({ line: used.line, column: used.column });
  });

  it('a query that can never be bound', () => {
    const error = refusal(at("ALL tags >= {'a', 'b'}"));
    expect(error.path).toBe('collections.tasks.read');
  });
});

describe('loading', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rules-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads a file and names it in errors', async () => {
    const good = join(folder, 'good.yaml');
    await writeFile(good, 'collections: { tasks: { read: true } }');
    expect((await loadRulesFile(good)).collections.size).toBe(1);
    const bad = join(folder, 'bad.yaml');
    await writeFile(bad, 'collections: { tasks: { read: ] } }');
    await expect(loadRulesFile(bad)).rejects.toThrow(`${bad}:1:31`);
  });

  it('a file that is not there, or a folder, is a RulesError', async () => {
    for (const path of [join(folder, 'none.yaml'), folder]) {
      const error = await loadRulesFile(path).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(RulesError);
      expect(String(error)).toContain(`${path}: cannot be read`);
    }
  });

  it('a file of any size is not read', async () => {
    const path = join(folder, 'large.yaml');
    await writeFile(path, '#'.repeat(5 * 1024 * 1024));
    await expect(loadRulesFile(path)).rejects.toThrow(/larger than/);
  });
});
