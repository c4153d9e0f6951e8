import { describe, expect, it } from '@jest/globals';
import { brandAs, type CollectionName, type Document, type Entry, type Json } from '@tidemark/protocol';
import { and, type BoundQuery, bindQuery, parseQuery } from '@tidemark/rql';
import fc from 'fast-check';
import type { Group } from './group.ts';
import { GroupIndex } from './group-index.ts';

const collection = (name: string) => brandAs<CollectionName>(name);
const tasks = collection('tasks');
const member = { id: 'socket1' };

function query(text: string, args: readonly Json[] = []): BoundQuery {
  return bindQuery(parseQuery(text), { args });
}

function entry(before: Record<string, Json> | null, after: Record<string, Json> | null, name = 'tasks'): Entry {
  return { collection: collection(name), before: before as Document | null, after: after as Document | null } as Entry;
}

const oid = { $oid: '507f1f77bcf86cd799439011' };
const values: readonly Json[] = [
  null,
  true,
  false,
  0,
  1,
  1.5,
  { $numberLong: '1' },
  { $numberDecimal: '1.50' },
  '1',
  'a',
  'A',
  '',
  oid,
  { $oid: oid.$oid.toUpperCase() },
  oid.$oid,
  { $date: 0 },
  { $date: '1970-01-01T00:00:00Z' },
  [],
  ['a', 1],
  [null],
];

const paths = ['team', 'tags', 'owner.id', 'list.id'];
const operators = ['==', '!=', '<', '==[c]'];

interface Atom {
  readonly text: string;
  readonly args: readonly Json[];
}

function atoms(): fc.Arbitrary<Atom> {
  const path = fc.constantFrom(...paths);
  const value = fc.constantFrom(...values.filter((one) => !Array.isArray(one)));
  return fc.oneof<fc.Arbitrary<Atom>[]>(
    fc
      .tuple(path, fc.constantFrom(...operators), value)
      .map(([left, operator, right]) => ({ text: `${left} ${operator} $0`, args: [right] })),
    fc.tuple(path, fc.array(value, { maxLength: 3 })).map(([left, list]) => ({ text: `${left} IN $0`, args: [list] })),
    fc.tuple(path, value).map(([left, right]) => ({ text: `ALL ${left} == $0`, args: [right] })),
    fc.tuple(path, value).map(([left, right]) => ({ text: `NONE ${left} == $0`, args: [right] })),
    fc.constant({ text: 'TRUEPREDICATE', args: [] }),
    fc.constant({ text: 'tags.@count == 2', args: [] }),
  );
}

/** Queries of several conditions, each with arguments of its own. */
function queries(): fc.Arbitrary<BoundQuery> {
  const shape = fc.constantFrom(
    'x AND x',
    'x OR x',
    'NOT x',
    'x',
    'x AND (x OR x)',
    '(x AND x) OR (x AND x)',
    'NOT (x OR x)',
  );
  return fc.tuple(shape, fc.array(atoms(), { minLength: 4, maxLength: 4 })).map(([form, parts]) => {
    let next = 0;
    const args: Json[] = [];
    const text = form.replace(/x/g, () => {
      const part = parts[next++]!;
      args.push(...part.args);
      return `(${part.text.replace('$0', `$${args.length - 1}`)})`;
    });
    return query(text, args);
  });
}

function documents(): fc.Arbitrary<Record<string, Json> | null> {
  const value = fc.constantFrom(...values);
  const fields = fc.record(
    {
      team: value,
      tags: value,
      owner: fc.oneof(
        value,
        value.map((id): Json => ({ id })),
      ),
      list: fc.array(
        value.map((id): Json => ({ id })),
        { maxLength: 3 },
      ),
    },
    { requiredKeys: [] },
  );
  return fc.option(fields as fc.Arbitrary<Record<string, Json>>, { nil: null });
}

describe('the index of groups', () => {
  it('finds every group that a scan of all finds', () => {
    fc.assert(
      fc.property(fc.array(queries(), { maxLength: 12 }), documents(), documents(), (filters, before, after) => {
        const index = new GroupIndex();
        const groups = new Set(filters.map((filter) => index.enter(tasks, filter, member)));
        const change = entry(before, after);
        const candidates = index.candidates(change);
        for (const group of groups) {
          const { before: wasIn, after: isIn } = group.membershipOf(change);
          if (wasIn || isIn) expect([...candidates].map(({ key }) => key)).toContain(group.key);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds the same after groups have come and gone', () => {
    const steps = fc.array(fc.tuple(queries(), fc.boolean()), { maxLength: 15 });
    fc.assert(
      fc.property(steps, documents(), (plan, after) => {
        const index = new GroupIndex();
        const fresh = new GroupIndex();
        const held: Group[] = [];
        for (const [filter, stays] of plan) {
          const group = index.enter(tasks, filter, member);
          if (stays) held.push(group);
          else index.leave(group, member);
        }
        for (const group of held) fresh.enter(tasks, group.query, member);
        const keys = (one: GroupIndex) => [...one.candidates(entry(null, after))].map(({ key }) => key).sort();
        expect(keys(index)).toEqual(keys(fresh));
        expect(index.size).toBe(fresh.size);
        for (const group of held) index.leave(group, member);
        expect(index.size).toBe(0);
        expect(index.candidates(entry(null, after)).size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('does not look at groups that cannot match', () => {
    const index = new GroupIndex();
    for (let owner = 0; owner < 1_000; owner++) index.enter(tasks, query('owner == $0', [`u${owner}`]), member);
    const scanned = index.enter(tasks, query('n > 5'), member);
    expect(index.candidates(entry(null, { owner: 'u7', n: 1 })).size).toBe(2);
    expect(index.candidates(entry({ owner: 'u7' }, { owner: 'u8' })).size).toBe(3);
    expect([...index.candidates(entry(null, { owner: 'nobody' }))]).toEqual([scanned]);
  });

  it('looks a document up by both images, and by the rule in the query', () => {
    const index = new GroupIndex();
    const group = index.enter(tasks, and(query("n > 1 AND team == 'a'"), query('hidden == false')), member);
    expect(index.candidates(entry({ team: 'a', hidden: false }, null))).toContain(group);
    expect(index.candidates(entry(null, { team: 'a', hidden: false }))).toContain(group);
    expect(index.candidates(entry({ team: 'b' }, { team: 'c' })).size).toBe(0);
  });

  it('keeps collections apart', () => {
    const index = new GroupIndex();
    index.enter(tasks, query(''), member);
    expect(index.candidates(entry(null, { n: 1 }, 'notes')).size).toBe(0);
  });
});

describe('a group', () => {
  it('is one for every way to write its query, and for all its members', () => {
    const index = new GroupIndex();
    const one = index.enter(tasks, query("team == 'a' AND n > 1"), member);
    const other = index.enter(tasks, query('n > $0 && team == $1', [1, 'a']), { id: 'socket2' });
    expect(other).toBe(one);
    expect(index.size).toBe(1);
    expect(index.enter(collection('notes'), query("team == 'a' AND n > 1"), member)).not.toBe(one);
  });

  it('lives as long as one subscription is left', () => {
    const index = new GroupIndex();
    const group = index.enter(tasks, query("team == 'a'"), member);
    index.enter(tasks, query("team == 'a'"), member);
    index.leave(group, member);
    expect(group.members.size).toBe(1);
    index.leave(group, member);
    expect(index.size).toBe(0);
    index.leave(group, member);
    expect(index.candidates(entry(null, { team: 'a' })).size).toBe(0);
  });
});
