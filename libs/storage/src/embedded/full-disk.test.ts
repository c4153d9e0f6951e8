import { expect, it } from '@jest/globals';
import { changeOf, commit, headOf } from '../conformance/writes.ts';
import { useScope } from './fixtures/scope.ts';
import { scriptPath, startScript } from './fixtures/script-process.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { openEmbeddedStore } from './open-embedded-store.ts';

const scope = useScope();

/** Files of this process cannot grow beyond 2 MiB: the write that tries fails, as on a full disk. */
const smallFiles = "trap '' XFSZ; ulimit -f 2048;";

it('answers unavailable when the disk is full, keeps what was committed, and goes on when there is room', async () => {
  const directory = await scope.use(temporaryDirectory());
  const child = await scope.use(startScript(scriptPath('fill-disk.ts'), [directory.path], smallFiles));
  const report = JSON.parse(String((await child.lines.next()).value));
  expect(await child.exited).toBe(0);
  expect(report.committed).toBeGreaterThan(5);
  expect(report).toEqual({
    committed: report.committed,
    result: 'unavailable',
    check: 'unavailable',
    group: ['unavailable', 'unavailable'],
    head: report.committed,
    documents: report.committed,
  });
  const store = await openEmbeddedStore({ directory: directory.path, lanes: 1 });
  await commit(store, [
    { documentId: 'next', fields: { text: 'x'.repeat(20_000) }, change: changeOf('alice', 'after') },
  ]);
  expect(await headOf(store)).toBe(report.committed + 1);
  expect(await store.findTide(1)).toBeUndefined();
  await store.close();
}, 30_000);
