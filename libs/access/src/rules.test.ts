import { describe, expect, it } from '@jest/globals';
import { type Author, brandAs, type CollectionName, type Document, type Json, type UserId } from '@tidemark/protocol';
import { and, canonical, compile, FALSE_QUERY, TRUE_QUERY } from '@tidemark/rql';
import { parseRules } from './parse-rules.ts';
import { createRules, type Rules } from './rules.ts';

const tasks = brandAs<CollectionName>('tasks');
const other = brandAs<CollectionName>('other');
const user = (name: string) => brandAs<UserId>(name);
const author = (name: string, claims: Record<string, Json> = {}): Author => ({ userId: user(name), claims });
const doc = (fields: Record<string, Json>): Document => ({ _id: 'd1', ...fields });
const ann = author('ann');
const bob = author('bob');

const rulesOf = (yaml: string, production = true): Rules =>
  createRules(parseRules(`collections:\n${yaml.replaceAll(/^/gm, '  ')}`, 'rules.yaml'), { production });

/** The verbs that a rules object allows an author on one document. */
function allowed(rules: Rules, collection: CollectionName, who: Author = ann): string[] {
  const some = doc({ owner: 'ann' });
  const writes = { insert: [null, some], update: [some, some], delete: [some, null], nothing: [null, null] } as const;
  const fine = Object.entries(writes).filter(
    ([, [before, after]]) => rules.writeFault(collection, who, { before, after }) === undefined,
  );
  return [...(rules.canRead(collection, who, some) ? ['read'] : []), ...fine.map(([verb]) => verb)];
}
const everything = ['read', 'insert', 'update', 'delete', 'nothing'];

describe('which collection follows which rules', () => {
  it.each([
    ['production, no file', undefined, true, [], []],
    ['development, no file', undefined, false, everything, everything],
    ['production, no "*"', 'tasks: { read: true }', true, ['read'], []],
    ['development, no "*"', 'tasks: { read: true }', false, ['read'], everything],
    ['production, "*"', 'tasks: { read: true }\n"*": { insert: true }', true, ['read'], ['insert']],
    ['development, "*"', 'tasks: { read: true }\n"*": { insert: true }', false, ['read'], ['insert']],
    ['development, empty "*"', 'tasks: { read: true }\n"*": {}', false, ['read'], []],
    ['a listed collection without a verb', 'tasks: {}\n"*": { read: true }', true, [], ['read']],
  ])('%s', (_, yaml, production, listed, unlisted) => {
    const rules = yaml === undefined ? createRules(undefined, { production }) : rulesOf(yaml, production);
    expect(allowed(rules, tasks)).toEqual(listed);
    expect(allowed(rules, other)).toEqual(unlisted);
  });

  it.each(['tidemark_changes', '_sync_x', 'system.users', '', 'a$b'])('%j is closed whatever the rules', (name) => {
    const reserved = brandAs<CollectionName>(name);
    const open = '{ read: true, insert: true, update: true, delete: true }';
    for (const rules of [createRules(undefined, { production: false }), rulesOf(`"*": ${open}`)]) {
      expect(allowed(rules, reserved)).toEqual([]);
      expect(rules.readQuery(reserved, ann)).toBe(FALSE_QUERY);
    }
  });

  it('names of the prototype are collections like any other', () => {
    const rules = rulesOf('tasks: { read: true }');
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(allowed(rules, brandAs<CollectionName>(name))).toEqual([]);
    }
    expect(rulesOf('constructor: { read: true }').listed).toEqual(['constructor']);
  });

  it('tells once of a collection that is open because nobody closed it', () => {
    const told: string[] = [];
    const onOpen = (collection: CollectionName) => told.push(collection);
    const file = parseRules('collections: { tasks: { read: true } }', 'f');
    const rules = createRules(file, { production: false, onOpen });
    allowed(rules, tasks);
    allowed(rules, other);
    allowed(rules, brandAs<CollectionName>('_sync_x'));
    expect(told).toEqual(['other']);
    for (let n = 0; n < 2_000; n++) rules.readQuery(brandAs<CollectionName>(`c${n}`), ann);
    expect(told).toHaveLength(1_000);
  });

  it('tells nothing where the file says it, and in production', () => {
    const onOpen = () => {
      throw new Error('told');
    };
    const open = parseRules('collections: { "*": { read: true } }', 'f');
    allowed(createRules(open, { production: false, onOpen }), other);
    allowed(createRules(undefined, { production: true, onOpen }), other);
  });
});

describe('settings', () => {
  const yaml = 'tasks: { merge: field, indexes: [owner, a.b] }\nplain: {}\n"*": { indexes: [tenant] }';

  it.each([
    ['tasks', 'field', ['owner', 'a.b']],
    ['plain', 'document', []],
    ['unlisted', 'document', ['tenant']],
  ])('of %s', (name, merge, indexes) => {
    expect(rulesOf(yaml).settings(brandAs<CollectionName>(name))).toMatchObject({ merge, indexes });
  });

  it('without a file, and the list of names', () => {
    const bare = createRules(undefined, { production: false });
    expect(bare.settings(tasks)).toMatchObject({ merge: 'document', indexes: [] });
    expect(bare.listed).toEqual([]);
    expect(rulesOf(yaml).listed).toEqual(['tasks', 'plain']);
  });
});

describe('reading', () => {
  const rules = rulesOf(`
tasks: { read: owner == $user.sub OR team IN $user.teams }
open: { read: true }
shut: { read: false }
word: { read: FALSEPREDICATE }
clash: { read: "1 == 2" }
claim: { read: team == $user.team }`);

  it('is decided with the id and the claims of the author', () => {
    const mine = doc({ owner: 'ann' });
    const red = doc({ owner: 'x', team: 'red' });
    expect(rules.canRead(tasks, ann, mine)).toBe(true);
    expect(rules.canRead(tasks, bob, mine)).toBe(false);
    expect(rules.canRead(tasks, ann, red)).toBe(false);
    expect(rules.canRead(tasks, author('ann', { teams: ['blue', 'red'] }), red)).toBe(true);
    expect(rules.canRead(tasks, author('ann', { teams: 'red' }), red)).toBe(true);
    expect(rules.canRead(tasks, author('ann', { teams: [] }), red)).toBe(false);
    expect(rules.canRead(tasks, author('ann', { teams: 7 }), red)).toBe(false);
  });

  it('a claim `sub` of another is not believed', () => {
    expect(rules.canRead(tasks, author('bob', { sub: 'ann' }), doc({ owner: 'ann' }))).toBe(false);
    expect(rules.canRead(tasks, author('bob', { sub: 'ann' }), doc({ owner: 'bob' }))).toBe(true);
  });

  it.each(['shut', 'word', 'clash', 'claim'])('is exactly FALSE_QUERY where nothing can match: %s', (name) => {
    expect(rules.readQuery(brandAs<CollectionName>(name), ann)).toBe(FALSE_QUERY);
  });

  it('is TRUE_QUERY where everything matches', () => {
    expect(canonical(rules.readQuery(brandAs<CollectionName>('open'), ann))).toBe(canonical(TRUE_QUERY));
  });

  it('gives the same object to the same author, and to authors with the same claims', () => {
    const claim = brandAs<CollectionName>('claim');
    expect(rules.readQuery(tasks, author('ann', { teams: ['a'], x: 1 }))).toBe(
      rules.readQuery(tasks, author('ann', { teams: ['a'], x: 2 })),
    );
    expect(rules.readQuery(tasks, ann)).not.toBe(rules.readQuery(tasks, bob));
    expect(rules.readQuery(claim, author('ann', { team: 'a' }))).not.toBe(
      rules.readQuery(claim, author('ann', { team: 'b' })),
    );
  });

  it('can be joined with a filter', () => {
    const both = compile(and(rules.readQuery(tasks, ann), rules.readQuery(tasks, bob)));
    expect(both(doc({ owner: 'ann' }))).toBe(false);
  });

  it('sees the whole document, metadata too', () => {
    const byWriter = rulesOf('tasks: { read: _updated_by == $user.sub AND _id == "d1" AND sync_version > 3 }');
    const written = { ...doc({}), _updated_by: user('ann'), sync_version: 4 };
    expect(byWriter.canRead(tasks, ann, written)).toBe(true);
    expect(byWriter.canRead(tasks, bob, written)).toBe(false);
  });

  it('a value is a value, whatever it looks like', () => {
    const tricky = author("x' OR TRUEPREDICATE OR owner == '");
    expect(rules.canRead(tasks, tricky, doc({ owner: 'y' }))).toBe(false);
    expect(rules.canRead(tasks, tricky, doc({ owner: tricky.userId }))).toBe(true);
  });

  it('keys of the cache cannot be forged by what ids and claims hold', () => {
    const two = rulesOf('tasks: { read: a == $user.x AND b == $user.y }');
    const document = doc({ a: 'p","q', b: 'r' });
    expect(two.canRead(tasks, author('u', { x: 'p', y: 'q","r' }), document)).toBe(false);
    expect(two.canRead(tasks, author('u', { x: 'p","q', y: 'r' }), document)).toBe(true);
    expect(two.canRead(tasks, author('u', { y: 'r' }), document)).toBe(false);
    expect(two.canRead(tasks, author('u', { x: 'null', y: 'r' }), doc({ a: null, b: 'r' }))).toBe(false);
  });
});

describe('a claim that is missing never matches', () => {
  const claimless = [{}, { team: null }];
  const rulesWith = (read: string) => rulesOf(`tasks: { read: '${read}' }`);

  it.each([
    'team == $user.team',
    'team != $user.team',
    'NOT team == $user.team',
    'NOT (team != $user.team)',
    'team IN $user.team',
    'NOT team IN $user.team',
    'n < $user.team',
    'NOT n < $user.team',
    '$user.team == null',
    '$user.team == $user.team',
    '$user.constructor != 1',
    '$user.team.id == id',
    'NOT (a == 1 OR team == $user.team)',
  ])('%s', (read) => {
    for (const claims of claimless) {
      const rules = rulesWith(read);
      for (const document of [doc({}), doc({ team: null, n: 1 }), doc({ team: 'x', n: 1, a: 2 })]) {
        expect(rules.canRead(tasks, author('ann', claims), document)).toBe(false);
      }
    }
  });

  it('but what stands beside it may', () => {
    const rules = rulesWith('team == $user.team OR owner == $user.sub');
    expect(rules.canRead(tasks, ann, doc({ owner: 'ann' }))).toBe(true);
  });

  it('a list of more values than a query may hold opens nothing', () => {
    const teams = Array.from({ length: 1_001 }, (_, n) => `t${n}`);
    const rules = rulesWith('team IN $user.teams');
    expect(rules.canRead(tasks, author('ann', { teams: teams.slice(1) }), doc({ team: 't5' }))).toBe(true);
    expect(rules.canRead(tasks, author('ann', { teams }), doc({ team: 't5' }))).toBe(false);
  });
});

describe('writing', () => {
  const rules = rulesOf(`
tasks:
  insert: owner == $user.sub
  update: owner == $user.sub OR shared == true
  delete: owner == $user.sub AND locked != true
  schema:
    type: object
    properties: { title: { type: string, maxLength: 5 }, n: { type: integer } }
    additionalProperties: { type: [string, boolean, "null"] }
    required: [title]
insertOnly: { insert: true }
undeletable: { insert: true, update: true, delete: team == $user.team }`);
  const mine = doc({ owner: 'ann', title: 'a' });
  const yours = doc({ owner: 'bob', title: 'a' });
  const shared = doc({ owner: 'bob', title: 'a', shared: true });
  const codeOf = (before: Document | null, after: Document | null, who = ann, collection = tasks) =>
    rules.writeFault(collection, who, { before, after })?.code ?? 'allowed';

  it.each<[string, Document | null, Document | null, string]>([
    ['insert of my own', null, mine, 'allowed'],
    ['insert of another one’s', null, yours, 'forbidden'],
    ['update of my own', mine, doc({ owner: 'ann', title: 'b' }), 'allowed'],
    ['update of another one’s', yours, yours, 'forbidden'],
    ['update of a shared one', shared, shared, 'allowed'],
    ['taking over a shared one', shared, mine, 'allowed'],
    ['taking over another one’s', yours, mine, 'forbidden'],
    ['giving mine away', mine, yours, 'forbidden'],
    ['delete of my own', mine, null, 'allowed'],
    ['delete of a locked one', doc({ owner: 'ann', locked: true }), null, 'forbidden'],
    ['delete of another one’s', yours, null, 'forbidden'],
    ['delete of nothing', null, null, 'allowed'],
    ['insert against the schema', null, doc({ owner: 'ann', title: 'too long' }), 'schema_violation'],
    ['insert without a required field', null, doc({ owner: 'ann' }), 'schema_violation'],
    ['update against the schema', mine, doc({ owner: 'ann', title: 'a', n: 1.5 }), 'schema_violation'],
    ['update of what broke the schema before', doc({ owner: 'ann' }), mine, 'allowed'],
    ['delete of what breaks the schema', doc({ owner: 'ann' }), null, 'allowed'],
    ['both: the rule comes first', null, doc({ owner: 'bob' }), 'forbidden'],
  ])('%s', (_, before, after, expected) => {
    expect(codeOf(before, after)).toBe(expected);
  });

  it('a verb that is not said is closed, for a delete of nothing too', () => {
    const insertOnly = brandAs<CollectionName>('insertOnly');
    expect(codeOf(null, mine, ann, insertOnly)).toBe('allowed');
    expect(codeOf(mine, mine, ann, insertOnly)).toBe('forbidden');
    expect(codeOf(mine, null, ann, insertOnly)).toBe('forbidden');
    expect(codeOf(null, null, ann, insertOnly)).toBe('forbidden');
  });

  it('a delete of nothing is closed to whom every delete is closed', () => {
    const undeletable = brandAs<CollectionName>('undeletable');
    expect(codeOf(null, null, ann, undeletable)).toBe('forbidden');
    expect(codeOf(null, null, author('ann', { team: 'a' }), undeletable)).toBe('allowed');
  });

  it('metadata is hidden from the schema', () => {
    const stored = { ...mine, sync_updated_at: 5, _updated_by: user('ann'), sync_version: 7 };
    expect(codeOf(null, stored)).toBe('allowed');
    expect(codeOf(stored, { ...stored, sync_version: 8 })).toBe('allowed');
  });

  it('says what is wrong, but not which image or whether there was one', () => {
    const errorOf = (before: Document | null, after: Document | null) =>
      rules.writeFault(tasks, ann, { before, after })?.error;
    expect(errorOf(null, yours)).toBe('the rules forbid this change in tasks');
    expect(errorOf(yours, mine)).toBe(errorOf(null, yours));
    expect(errorOf(yours, null)).toBe(errorOf(null, yours));
    expect(errorOf(null, doc({ owner: 'ann', title: 'too long' }))).toMatch(/tasks.*title must NOT have more than 5/);
  });
});

describe('claims for a job', () => {
  const rules = rulesOf(`
tasks:
  read: a == $user.team OR b == $user.org.id
  insert: c BETWEEN {$user.low, 9} AND d IN {1, $user.role}
"*": { delete: x IN $user.groups AND NOT y == $user.sub }`);

  it('are those that some rule mentions, and sub', () => {
    const claims = {
      team: 't',
      org: { id: 1, n: 2 },
      low: 0,
      role: ['a'],
      groups: null,
      secret: 's',
      exp: 1,
      sub: 'liar',
    };
    expect(rules.claimsFor(user('ann'), claims)).toEqual({
      team: 't',
      org: { id: 1, n: 2 },
      low: 0,
      role: ['a'],
      groups: null,
      sub: 'ann',
    });
    expect(rules.claimsFor(user('ann'), {})).toEqual({ sub: 'ann' });
  });

  it('are JSON: what is none is left out', () => {
    let deep: unknown = 1;
    for (let n = 0; n < 5_000; n++) deep = [deep];
    const claims = { team: Number.POSITIVE_INFINITY, org: new Map(), low: () => 1, role: [undefined], groups: deep };
    expect(rules.claimsFor(user('ann'), { ...claims, org: { id: Number.NaN } })).toEqual({ sub: 'ann' });
  });

  it('are own claims only, and no prototype can be set through them', () => {
    const hostile = rulesOf('tasks: { read: a == $user.constructor OR b == $user.__proto__ }');
    expect(hostile.claimsFor(user('ann'), {})).toEqual({ sub: 'ann' });
    const claims = JSON.parse('{"__proto__":{"admin":true}}') as Record<string, unknown>;
    const kept = hostile.claimsFor(user('ann'), claims);
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
    expect(Object.keys(kept)).toEqual(['__proto__', 'sub']);
  });
});

describe('the fingerprint of what an author may read', () => {
  const rules = rulesOf('tasks: { read: "team == $user.team OR owner == $user.sub", insert: "role == $user.role" }');

  it('is the same for the same claims in read rules, whoever has them', () => {
    const rights = rules.readRights(author('ann', { sub: 'ann', team: 'a', role: 'x' }));
    expect(rights).toMatch(/^[0-9a-f]{16}$/);
    expect(rules.readRights(author('bob', { sub: 'bob', team: 'a' }))).toBe(rights);
    for (const claims of [{ team: 'b' }, { team: ['a'] }, {}])
      expect(rules.readRights(author('ann', { sub: 'ann', ...claims }))).not.toBe(rights);
  });

  it('changes with the read rules, not with the others or their order', () => {
    const base = '"*": { read: "x == 1" }\ntasks: { read: true }';
    const rights = rulesOf(base).readRights(ann);
    expect(rulesOf('tasks: { read: true, insert: true }\n"*": { read: "x == 1" }').readRights(ann)).toBe(rights);
    for (const other of [
      '"*": { read: "x == 1" }\ntasks: {}',
      '"*": { read: "x == 2" }\ntasks: { read: true }',
      'tasks: { read: true }',
    ])
      expect(rulesOf(other).readRights(ann)).not.toBe(rights);
    expect(createRules(undefined, { production: true }).readRights(ann)).toBeUndefined();
  });
});
