import { expect, it } from '@jest/globals';
import { commit, currentEpoch } from '../conformance/writes.ts';
import { useScope } from './fixtures/scope.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { openEmbeddedStore } from './open-embedded-store.ts';

const scope = useScope();

it('trims large entries in steps, between which others commit', async () => {
  const directory = await scope.use(temporaryDirectory());
  const store = await openEmbeddedStore({ directory: directory.path, lanes: 1 });
  const text = 'x'.repeat(1024 * 1024);
  for (let n = 0; n < 12; n += 1) await commit(store, [{ documentId: `d${n}`, fields: { text }, at: 100 }]);
  const trimming = store.trim({ before: 200, limit: 500 });
  await commit(store, [{ documentId: 'other', fields: {}, at: 300 }]);
  const [{ trimmed } = { trimmed: 0 }] = await store.heads(currentEpoch(store));
  expect(trimmed).toBeGreaterThan(0);
  expect(trimmed).toBeLessThan(12);
  expect(await trimming).toEqual({ trimmed: 12, done: true });
  expect(await store.heads(currentEpoch(store))).toEqual([{ lane: 0, head: 13, trimmed: 12 }]);
  await store.close();
});
