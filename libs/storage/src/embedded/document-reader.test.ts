import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Document } from '@tidemark/protocol';
import { TRUE_QUERY } from '@tidemark/rql';
import { queryOf } from '../conformance/pages.ts';
import { collectionName, refOf } from '../conformance/writes.ts';
import { DocumentReader } from './document-reader.ts';
import { Environment, type RowWrite, type Table, type Tables } from './environment.ts';
import { useScope } from './fixtures/scope.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { CollectionIndexes, IndexCatalog } from './index-catalog.ts';
import { documentRowKey } from './keys.ts';

const scope = useScope();

const tasks = collectionName('tasks');

interface RigOptions {
  readonly indexes?: readonly string[];
  /** Milliseconds that pass with each look at the clock. */
  readonly tick?: number;
}

/** A reader on the documents given, that counts the rows which it reads one by one. */
async function newRig(documents: readonly Document[], { indexes = [], tick = 0 }: RigOptions = {}) {
  const directory = await temporaryDirectory();
  const environment = new Environment(directory.path);
  const catalog = new IndexCatalog(environment.tables, () => ({ indexes }));
  const collection = new CollectionIndexes(environment.tables, tasks, indexes);
  const writeOf = (document: Document, before?: Document): readonly RowWrite[] => {
    const { key } = refOf('tasks', document._id);
    const row = {
      table: environment.tables.documents,
      key: documentRowKey(tasks, key),
      value: JSON.stringify(document),
    };
    const [old, next] = [before, document].map((one) => one && ({ kind: 'document', document: one } as const));
    return [row, ...collection.changes(key, old, next)];
  };
  const writes = documents.flatMap((document) => writeOf(document));
  await environment.commit([...writes, catalog.recordWrite(tasks, { paths: indexes, unfinished: [] })]);
  const counts = { gets: 0, turns: 0 };
  let closed = false;
  let clock = 0;
  const reader = new DocumentReader({
    tables: countingGets(environment.tables, counts),
    catalog,
    assertOpen() {
      counts.turns += 1;
      if (closed) throw new Error('closed');
    },
    now: () => (clock += tick),
  });
  return {
    reader,
    counts,
    close() {
      closed = true;
    },
    replace: (old: readonly Document[], next: readonly Document[]) =>
      environment.commit(next.flatMap((document, n) => writeOf(document, old[n]))),
    async [Symbol.asyncDispose]() {
      await environment.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function countingGets(tables: Tables, counts: { gets: number }): Tables {
  const documents = new Proxy(tables.documents, {
    get(table: Table, property) {
      const value = Reflect.get(table, property);
      if (property !== 'get') return typeof value === 'function' ? value.bind(table) : value;
      return (key: string) => {
        counts.gets += 1;
        return table.get(key);
      };
    },
  });
  return { ...tables, documents };
}

const numbered = (count: number, fields: (n: number) => object): Document[] =>
  Array.from({ length: count }, (_, n) => ({ ...fields(n), _id: `d${String(n).padStart(5, '0')}` }));

async function readAll(reader: DocumentReader, text: string, limit: number): Promise<Document[]> {
  const documents: Document[] = [];
  let after: Awaited<ReturnType<DocumentReader['read']>>['next'];
  do {
    const page = await reader.read({ collection: tasks, query: queryOf(text), after, limit });
    documents.push(...page.documents);
    after = page.next;
  } while (after !== undefined);
  return documents;
}

describe('reading documents', () => {
  it('gives the event loop a turn when its time is up, and goes on where it was', async () => {
    const rig = await scope.use(
      newRig(
        numbered(100, (n) => ({ n })),
        { tick: 1 },
      ),
    );
    const page = await rig.reader.read({ collection: tasks, query: queryOf('n >= 0'), limit: 1_000 });
    expect(page.documents.map(({ n }) => n)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(rig.counts.turns).toBeGreaterThan(10);
  });

  it('lets others run during a scan that finds nothing', async () => {
    const rig = await scope.use(
      newRig(
        numbered(100, (n) => ({ n })),
        { tick: 1 },
      ),
    );
    let others = 0;
    let reading = true;
    const counting = (async () => {
      while (reading) {
        others += 1;
        await setImmediate();
      }
    })();
    await rig.reader.read({ collection: tasks, query: queryOf('n < 0'), limit: 10 });
    reading = false;
    await counting;
    expect(others).toBeGreaterThan(5);
  });

  it('stops when the store is closed in between', async () => {
    const rig = await scope.use(
      newRig(
        numbered(100, (n) => ({ n })),
        { tick: 1 },
      ),
    );
    const reading = rig.reader.read({ collection: tasks, query: queryOf('n < 0'), limit: 10 });
    rig.close();
    await expect(reading).rejects.toThrow('closed');
  });

  it('ends a page early when its documents are large', async () => {
    const rig = await scope.use(newRig(numbered(12, () => ({ text: 'x'.repeat(1_000_000) }))));
    const page = await rig.reader.read({ collection: tasks, query: TRUE_QUERY, limit: 100 });
    expect(page.documents).toHaveLength(5);
    expect(page.next).toBe('d00004');
    expect(await readAll(rig.reader, '', 100)).toHaveLength(12);
  });

  it('looks only at what the index names', async () => {
    const rig = await scope.use(
      newRig(
        numbered(1_000, (n) => ({ group: n % 100, n })),
        { indexes: ['group'] },
      ),
    );
    const found = await readAll(rig.reader, 'group == 7 AND n > 500', 1_000);
    expect(found.map(({ n }) => n)).toEqual([507, 607, 707, 807, 907]);
    expect(rig.counts.gets).toBe(10);
  });

  it('takes the index with the fewest values, and none where one is not asked for equality', async () => {
    const rig = await scope.use(
      newRig(
        numbered(300, (n) => ({ a: n % 3, b: n % 50 })),
        { indexes: ['a', 'b'] },
      ),
    );
    await readAll(rig.reader, 'a IN {0, 1} AND b == 4', 1_000);
    expect(rig.counts.gets).toBe(6);
    rig.counts.gets = 0;
    await readAll(rig.reader, 'a > 1', 1_000);
    expect(rig.counts.gets).toBe(0);
  });

  it('merges many values in the order of keys, over pages and chunks of the index', async () => {
    const documents = numbered(2_000, (n) => ({ group: (n * n) % 13 }));
    const rig = await scope.use(newRig(documents, { indexes: ['group'] }));
    for (const [text, groups] of [
      ['group IN {0, 1, 3, 4, 9}', [0, 1, 3, 4, 9]],
      ['group IN {12, 0, 99}', [0, 12]],
      ['group == 10', [10]],
    ] as const) {
      const expected = documents.filter(({ group }) => groups.some((one) => one === group));
      expect(expected.length).toBeGreaterThan(130);
      for (const limit of [37, 5_000]) expect(await readAll(rig.reader, text, limit)).toEqual(expected);
    }
  });

  it('finds a document once that has several of the values', async () => {
    const rig = await scope.use(
      newRig(
        numbered(400, () => ({ tags: ['a', 'b', 'c'] })),
        { indexes: ['tags'] },
      ),
    );
    expect(await readAll(rig.reader, "tags IN {'a', 'b', 'z'}", 50)).toHaveLength(400);
    expect(rig.counts.gets).toBeLessThan(400 + 2 * 400);
  });

  it('misses no document that moves from one value to another meanwhile', async () => {
    const documents = numbered(5_000, (n) => ({ side: n % 2 ? 'left' : 'right' }));
    const rig = await scope.use(newRig(documents, { indexes: ['side'], tick: 0.02 }));
    const reading = rig.reader.read({ collection: tasks, query: queryOf("side IN {'left', 'right'}"), limit: 10_000 });
    const switched = documents.map((document) => ({ ...document, side: document.side === 'left' ? 'right' : 'left' }));
    let moved = 0;
    for (let at = documents.length - 500; at >= 0; at -= 500) {
      await rig.replace(documents.slice(at, at + 500), switched.slice(at, at + 500));
      moved += 500;
    }
    const { documents: found } = await reading;
    expect(found.map(({ _id }) => _id)).toEqual(documents.map(({ _id }) => _id));
    expect(moved).toBe(documents.length);
    // Which side each is found on depends on who was faster; every one of them was on either.
    for (const { side } of found) expect(['left', 'right']).toContain(side);
  });

  it('reads nothing where nothing can match', async () => {
    const rig = await scope.use(
      newRig(
        numbered(10, () => ({ a: 1 })),
        { indexes: ['a'] },
      ),
    );
    expect(await readAll(rig.reader, "a == 'nothing'", 50)).toEqual([]);
    expect(rig.counts.gets).toBe(0);
  });
});
