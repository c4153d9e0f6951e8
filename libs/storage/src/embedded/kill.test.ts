import { expect, it } from '@jest/globals';
import { allDocuments, queryOf } from '../conformance/pages.ts';
import { changeOf, lane, logOf, look } from '../conformance/writes.ts';
import type { Store } from '../port.ts';
import { useScope } from './fixtures/scope.ts';
import { scriptPath, startScript } from './fixtures/script-process.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { openEmbeddedStore } from './open-embedded-store.ts';

const scope = useScope();

const rounds = 6;

it('has every acknowledged change after kill -9 at any moment', async () => {
  const directory = await scope.use(temporaryDirectory());
  const acknowledged = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    const next = Math.max(-1, ...acknowledged) + 1_000;
    for (const n of await writeAndKill(directory.path, next, 20 + round * 90)) acknowledged.add(n);
    const store = await openEmbeddedStore({
      directory: directory.path,
      lanes: 2,
      collections: () => ({ indexes: ['group'] }),
    });
    await expectWhole(store, acknowledged);
    await store.close();
  }
  expect(acknowledged.size).toBeGreaterThan(rounds * 20);
}, 60_000);

/** The changes that a writing process acknowledged before it was killed, right after it printed so many lines. */
async function writeAndKill(directory: string, first: number, lines: number): Promise<readonly number[]> {
  const child = await scope.use(startScript(scriptPath('write-until-killed.ts'), [directory, String(first)]));
  expect((await child.lines.next()).value).toBe('open');
  const printed: string[] = [];
  for await (const line of child.lines) {
    printed.push(line);
    if (printed.length === lines) child.kill();
  }
  expect(await child.exited).toBeNull();
  return printed.map(Number);
}

/** Every acknowledged change is in the log; log, heads, outcomes, documents and index tell the same story. */
async function expectWhole(store: Store, acknowledged: ReadonlySet<number>): Promise<void> {
  const logs = [await logOf(store, lane(0)), await logOf(store, lane(1))];
  const heads = await store.heads(store.history.epochs[0]!.epoch);
  expect(heads.map(({ head }) => head)).toEqual(logs.map((log) => log.length));
  for (const log of logs) expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  const entries = logs.flat();
  const written = new Set(entries.map(({ id }) => Number(id)));
  expect([...acknowledged].filter((n) => !written.has(n))).toEqual([]);
  const changes = entries.map(({ id }) => changeOf('writer', id));
  const outcomes = await look(store, { changes }, (snapshot) => changes.map((change) => snapshot.outcome(change)));
  expect(outcomes.map((outcome) => outcome?.kind === 'applied' && outcome.seq)).toEqual(entries.map(({ seq }) => seq));
  const documents = await allDocuments(store, 'tasks', { limit: 500 });
  const texts = new Set(entries.map(({ after }) => JSON.stringify(after)));
  expect(documents.filter((document) => !texts.has(JSON.stringify(document)))).toEqual([]);
  for (let group = 0; group < 7; group++) {
    const found = await allDocuments(store, 'tasks', { query: queryOf(`group == ${group}`), limit: 500 });
    expect(found).toEqual(documents.filter((document) => document.group === group));
  }
}
