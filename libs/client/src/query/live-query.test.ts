import { beforeEach, describe, expect, it } from '@jest/globals';
import { brandAs, type Document, type DocumentKey } from '@tidemark/protocol/core';
import fc from 'fast-check';
import { View } from '../local/view.ts';
import type { QueryDiff } from './diff.ts';
import { LiveQuery, type QueryResult } from './live-query.ts';

const key = (text: string) => brandAs<DocumentKey>(text);

/** A collection that a test fills by hand. */
class Table {
  readonly #truth = new Map<DocumentKey, Document>();
  readonly view = new View((_collection, id) => this.#truth.get(id));
  readonly reported: unknown[] = [];
  isReady = true;
  becomeReady = () => {};
  readonly ready: Promise<void>;

  constructor() {
    this.ready = new Promise((resolve) => {
      this.becomeReady = () => {
        this.isReady = true;
        resolve();
      };
    });
    this.becomeReady();
  }

  /** One atomic step; undefined deletes. */
  set(changes: Readonly<Record<string, Record<string, unknown> | undefined>>): void {
    for (const [id, fields] of Object.entries(changes)) {
      if (fields) this.#truth.set(key(id), { _id: id, ...fields } as unknown as Document);
      else this.#truth.delete(key(id));
    }
    this.view.refresh(new Map([['tasks', new Set(Object.keys(changes).map(key))]]));
  }

  query(matches: (document: Document) => boolean = () => true): LiveQuery {
    return new LiveQuery({
      view: this.view,
      collection: 'tasks',
      matches: matches as never,
      ready: this.ready,
      isReady: () => this.isReady,
      report: (error) => this.reported.push(error),
    });
  }
}

const ids = ({ documents }: Pick<QueryResult, 'documents'>) => documents.map(({ _id }) => _id);

/** The old list with the diff applied as its description says. */
function applied(before: readonly Document[], { added, removed, changed }: QueryDiff): Document[] {
  const out = new Set([...removed.map(({ index }) => index), ...changed.map(({ previousIndex }) => previousIndex)]);
  const list = before.filter((_, index) => !out.has(index));
  for (const { document, index } of [...added, ...changed].sort((a, b) => a.index - b.index))
    list.splice(index, 0, document);
  return list;
}

let table: Table;
let seen: QueryResult[];

beforeEach(() => {
  table = new Table();
  seen = [];
});

describe('observe', () => {
  it('tells the first result at once, then what changes', () => {
    table.set({ a: { n: 1 } });
    const stop = table.query().observe((result) => seen.push(result));
    expect(seen).toEqual([{ documents: [{ _id: 'a', n: 1 }], diff: undefined }]);
    table.set({ b: { n: 2 }, a: { n: 3 } });
    expect(seen[1]).toEqual({
      documents: [
        { _id: 'a', n: 3 },
        { _id: 'b', n: 2 },
      ],
      diff: {
        added: [{ document: { _id: 'b', n: 2 }, index: 1 }],
        removed: [],
        changed: [{ document: { _id: 'a', n: 3 }, index: 0, previous: { _id: 'a', n: 1 }, previousIndex: 0 }],
      },
    });
    stop();
    stop();
    table.set({ a: undefined });
    expect(seen).toHaveLength(2);
  });

  it('says nothing about documents that never matched', () => {
    table.query(({ n }) => n === 1).observe((result) => seen.push(result));
    table.set({ a: { n: 2 } });
    table.set({ a: { n: 3 } });
    table.set({ a: undefined });
    expect(seen).toHaveLength(1);
  });

  it('tells of documents that start and stop to match', () => {
    table.query(({ n }) => n === 1).observe((result) => seen.push(result));
    table.set({ a: { n: 2 } });
    table.set({ a: { n: 1 } });
    table.set({ a: { n: 2 } });
    expect(seen.map(ids)).toEqual([[], ['a'], []]);
    expect(seen[2]?.diff?.removed).toEqual([{ document: { _id: 'a', n: 1 }, index: 0 }]);
  });

  it('keeps order and window: what moves in and out of the limit is told', () => {
    table.set({ a: { n: 1 }, b: { n: 2 }, c: { n: 3 } });
    table
      .query()
      .sort('n')
      .limit(2)
      .observe((result) => seen.push(result));
    table.set({ c: { n: 0 } });
    table.set({ c: undefined });
    expect(seen.map(ids)).toEqual([
      ['a', 'b'],
      ['c', 'a'],
      ['a', 'b'],
    ]);
    expect(seen[1]?.diff).toMatchObject({ added: [{ index: 0 }], removed: [{ index: 1, document: { _id: 'b' } }] });
  });

  it('waits for the store, and tells nobody who has stopped meanwhile', async () => {
    table = new Table();
    table.isReady = false;
    const stop = table.query().observe((result) => seen.push(result));
    table.query().observe((result) => seen.push(result));
    stop();
    expect(seen).toEqual([]);
    table.becomeReady();
    await table.ready;
    await Promise.resolve();
    expect(seen.map(ids)).toEqual([[]]);
  });

  it('reports a listener that throws, and tells the others', () => {
    const query = table.query();
    query.observe(() => {
      throw new Error('mine');
    });
    query.observe((result) => seen.push(result));
    table.set({ a: {} });
    expect(table.reported).toEqual([new Error('mine'), new Error('mine')]);
    expect(seen.map(ids)).toEqual([[], ['a']]);
  });

  it('tells nobody who was ended by a listener before', () => {
    const table = new Table();
    const query = table.query();
    let stop = () => {};
    const heard: unknown[] = [];
    query.observe(({ diff }) => diff && stop());
    stop = query.observe(({ diff }) => diff && heard.push(diff));
    table.set({ a: {} });
    expect(heard).toEqual([]);
  });

  it('shows no observer a step that another one has not seen', () => {
    const [first, second] = [table.query(), table.query()];
    const pairs: [number | undefined, number | undefined][] = [];
    const look = () => pairs.push([first.current?.length, second.current?.length]);
    first.observe(look);
    second.observe(look);
    table.set({ a: {} });
    expect(pairs.slice(2)).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });

  it('takes changes that a listener makes', () => {
    table.query().observe((result) => {
      seen.push(result);
      if (result.documents.length === 1) table.set({ b: {} });
    });
    table.set({ a: {} });
    expect(seen.map(ids)).toEqual([[], ['a'], ['a', 'b']]);
  });

  it('gives everyone the same list until it changes', () => {
    const query = table.query();
    query.observe((result) => seen.push(result));
    table.set({ a: {} });
    query.observe((result) => seen.push(result));
    expect(seen[2]?.documents).toBe(seen[1]?.documents);
    expect(query.current).toBe(seen[1]?.documents);
  });
});

describe('find', () => {
  it('is what matches now, observed or not', async () => {
    table.set({ a: { n: 1 }, b: { n: 2 } });
    const query = table.query(({ n }) => n === 2);
    expect(ids({ documents: await query.find() })).toEqual(['b']);
    query.observe(() => {});
    table.set({ c: { n: 2 } });
    expect(ids({ documents: await query.find() })).toEqual(['b', 'c']);
    expect(ids({ documents: await query.sort('n').limit(1).find() })).toEqual(['b']);
  });

  it('refuses a limit that is none', () => {
    expect(() => table.query().limit(-1)).toThrow(RangeError);
    expect(() => table.query().limit(1.5)).toThrow(RangeError);
  });
});

describe('whatever happens', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l');
  const fields = fc.option(fc.record({ n: fc.integer({ min: 0, max: 4 }) }), { nil: undefined });
  const step = fc.dictionary(id, fields, { minKeys: 1, maxKeys: 12 });

  it.each([
    ['unsorted', (query: LiveQuery) => query],
    ['sorted', (query: LiveQuery) => query.sort('n', 'desc')],
    ['with a limit', (query: LiveQuery) => query.sort('n').limit(3)],
  ])('the diffs lead from list to list, and the list is what a new query finds: %s', (_name, shape) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const own = new Table();
        const query = shape(own.query(({ n }) => Number(n) > 0));
        let list: Document[] = [];
        query.observe(({ documents, diff }) => {
          list = diff ? applied(list, diff) : [...documents];
          expect(list).toEqual(documents);
        });
        for (const changes of steps) {
          own.set(changes);
          const fresh = shape(own.query(({ n }) => Number(n) > 0));
          let now: readonly Document[] = [];
          fresh.observe(({ documents }) => {
            now = documents;
          })();
          const sorted = (documents: readonly Document[]) =>
            [...documents].sort((a, b) => (String(a._id) < String(b._id) ? -1 : 1));
          if (_name === 'unsorted') expect(sorted(list)).toEqual(sorted(now));
          else expect(list).toEqual(now);
        }
      }),
    );
  });
});
