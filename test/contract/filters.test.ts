import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { TestClient } from '../rig/client.ts';
import { startServer, type TestServer } from '../rig/server.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

let server: TestServer;
let alice: TestClient;

/** By id. A field that a document lacks is missing on purpose. */
const documents: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  a: { n: 1, name: 'Anna', tags: ['x', 'y'], home: { city: 'Rome' }, done: true, nothing: null, marks: [1, 5] },
  b: { n: 2, name: 'bob', tags: [], home: { city: 'Oslo' }, done: false, pets: [{ kind: 'cat', age: 3 }] },
  c: {
    n: 2.5,
    name: 'Änne',
    other: 2.5,
    pets: [
      { kind: 'dog', age: 1 },
      { kind: 'cat', age: 9 },
    ],
  },
  d: { n: '2', name: 'a*b?c', at: { $date: '2026-11-24T10:00:00Z' }, größe: 3 },
  e: { key: { $oid: '0123456789abcdef01234567' }, uid: { $uuid: '01234567-89ab-cdef-0123-456789abcdef' } },
};

beforeAll(async () => {
  server = await startServer();
  alice = await server.user('alice');
  for (const [documentId, data] of Object.entries(documents)) {
    await alice.write({ collection: 'all', documentId, data });
  }
});
afterAll(() => server[Symbol.asyncDispose]());

/** Filter, the ids that it selects, its arguments. */
const table: readonly (readonly [string, string, (readonly unknown[])?])[] = [
  ['TRUEPREDICATE', 'abcde'],
  ['falsepredicate', ''],
  ['n == 2', 'b'],
  ['n = 2.0', 'b'],
  ['2 == n', 'b'],
  ['n != 2', 'acde'],
  ['n <> 2', 'acde'],
  ['n < 2', 'a'],
  ['n <= 2', 'ab'],
  ['n > 1', 'bc'],
  ['n >= 2', 'bc'],
  ["n == '2'", 'd'],
  ["n > ''", 'd'],
  ['n == other', 'ce'],
  ['n == 1 OR n == 2 AND done == true', 'a'],
  ['(n == 1 OR n == 2) AND done == false', 'b'],
  ['n == 1 || n == 2 && done == true', 'a'],
  ['NOT n == 2', 'acde'],
  ['!(n == 2 or n == 1)', 'cde'],
  ['n IN {1, 2.5}', 'ac'],
  ['n in $0', 'ab', [[1, 2]]],
  ['n BETWEEN {1, 2}', 'ab'],
  ['n between {$0, $1}', 'bc', [2, 3]],
  ["name BEGINSWITH 'A'", 'a'],
  ["name BEGINSWITH[c] 'a'", 'ad'],
  ["name ENDSWITH 'na'", 'a'],
  ["name CONTAINS 'nn'", 'ac'],
  ["name CONTAINS[c] 'B'", 'bd'],
  ["name LIKE 'A*'", 'a'],
  ["name LIKE '?ob'", 'b'],
  ["name LIKE[c] 'a*'", 'ad'],
  ["name ==[c] 'ANNA'", 'a'],
  ["name !=[c] 'ANNA'", 'bcde'],
  ["name == 'a*b?c'", 'd'],
  ['name == "bob"', 'b'],
  ["tags == 'x'", 'a'],
  ["ANY tags == 'y'", 'a'],
  ["SOME tags == 'y'", 'a'],
  ["ALL tags IN {'x', 'y'}", 'ab'],
  ["NONE tags == 'x'", 'bcde'],
  ['tags.@count == 0', 'bcde'],
  ['tags.@size > 1', 'a'],
  ['marks.@sum == 6', 'a'],
  ['marks.@avg == 3', 'a'],
  ['marks.@min == 1', 'a'],
  ['marks.@max == 5', 'a'],
  ["home.city == 'Rome'", 'a'],
  ["pets.kind == 'cat'", 'bc'],
  ['ANY pets.age > 5', 'c'],
  ['ALL pets.age > 2', 'b'],
  ['nothing == null', 'abcde'],
  ['n == nil', 'e'],
  ['n != NULL', 'abcd'],
  ['done == true', 'a'],
  ['done == FALSE', 'b'],
  ['at == 2026-11-24@10:00:00', 'd'],
  ['at == 2026-11-24T10:00:00', 'd'],
  ['at > 2026-11-24T09:59:59', 'd'],
  ['at == T1795514400:0', 'd'],
  ['at == $0', 'd', [{ $date: '2026-11-24T10:00:00Z' }]],
  ['key == oid(0123456789abcdef01234567)', 'e'],
  ['key == $0', 'e', [{ $oid: '0123456789abcdef01234567' }]],
  ["key == '0123456789abcdef01234567'", ''],
  ['uid == uuid(01234567-89ab-cdef-0123-456789abcdef)', 'e'],
  ['größe == 3', 'd'],
  ['NAME == null', 'abcde'],
  ["_id == 'a'", 'a'],
  ["_updated_by == 'alice'", 'abcde'],
];

describe('filters', () => {
  it.each(table)('%s selects %j', async (filter, ids, args = []) => {
    const { success, changes, error } = await alice.call('sync:get_changes', { collection: 'all', filter, args });
    expect([error, success]).toEqual([undefined, true]);
    expect(changes.map((change) => change.documentId).join('')).toBe(ids);
  });

  it('select live what they select from the store', async () => {
    const live = await Promise.all(
      table.map(async ([filter, ids, args = []]) => {
        const client = await server.user('reader');
        await client.subscribe('live', { filter, args });
        return { client, filter, ids };
      }),
    );
    for (const [documentId, data] of Object.entries(documents)) {
      await alice.write({ collection: 'live', documentId, data });
    }
    for (const { client, filter, ids } of live) {
      await client.mark();
      expect([filter, client.view.ids('live').join('')]).toEqual([filter, ids]);
    }
  });
});
