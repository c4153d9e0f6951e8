import { mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commit, headOf } from '../conformance/writes.ts';
import { Environment } from './environment.ts';
import { useScope } from './fixtures/scope.ts';
import { scriptPath, startScript } from './fixtures/script-process.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { openEmbeddedStore } from './open-embedded-store.ts';

const scope = useScope();

const open = (directory: string) => openEmbeddedStore({ directory, lanes: 1 });

describe('exclusive use of a directory', () => {
  it('refuses a second opening by the same process, and leaves the first one whole', async () => {
    const directory = await scope.use(temporaryDirectory());
    const store = await open(directory.path);
    const second = open(directory.path);
    await expect(second).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(second).rejects.toThrow(`${directory.path} is in use by process ${process.pid}`);
    await commit(store, [{ documentId: 'a', fields: {} }]);
    await store.close();
    const reopened = await open(directory.path);
    expect(await headOf(reopened)).toBe(1);
    await reopened.close();
  });

  it('refuses all but one of several openings at once', async () => {
    const directory = await scope.use(temporaryDirectory());
    const results = await Promise.allSettled([1, 2, 3].map(() => open(directory.path)));
    const stores = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(stores).toHaveLength(1);
    expect(await commit(stores[0]!, [{ documentId: 'a', fields: {} }])).toHaveLength(1);
    await stores[0]!.close();
  });

  it('knows a directory under another name', async () => {
    const directory = await scope.use(temporaryDirectory());
    const [real, other] = [join(directory.path, 'real'), join(directory.path, 'other')];
    await mkdir(real);
    await symlink(real, other);
    const store = await open(real);
    await expect(open(other)).rejects.toThrow(`${real} is in use`);
    await store.close();
  });

  it('refuses while another process has it, and not when that one was killed', async () => {
    const directory = await scope.use(temporaryDirectory());
    const child = await scope.use(startScript(scriptPath('hold-open.ts'), [directory.path]));
    expect((await child.lines.next()).value).toBe('open');
    await expect(open(directory.path)).rejects.toThrow(`${directory.path} is in use by process ${child.pid}`);
    child.kill();
    await child.exited;
    const store = await open(directory.path);
    const late = await scope.use(startScript(scriptPath('hold-open.ts'), [directory.path]));
    expect((await late.lines.next()).value).toMatch(`is in use by process ${process.pid}`);
    await store.close();
  }, 20_000);

  it('does not take another process with the same number for the owner', async () => {
    const directory = await scope.use(temporaryDirectory());
    await (await open(directory.path)).close();
    const mine = await ownerOf(directory.path);
    await plantOwner(directory.path, { ...mine, startedAt: '1', token: 'earlier' });
    await (await open(directory.path)).close();
  });

  it('goes by the beat where the number says nothing: one that beats keeps the directory', async () => {
    const directory = await scope.use(temporaryDirectory());
    await plantOwner(directory.path, { ...(await ownerOf(directory.path)), scope: 'other container', token: 'other' });
    const beats = setInterval(() => void utimes(ownerPath(directory.path), new Date(), new Date()), 200);
    await expect(open(directory.path)).rejects.toThrow('is in use');
    clearInterval(beats);
  });

  it('goes by the beat where the number says nothing: one that is silent has lost it', async () => {
    const directory = await scope.use(temporaryDirectory());
    await plantOwner(directory.path, { ...(await ownerOf(directory.path)), scope: 'other container', token: 'other' });
    await utimes(ownerPath(directory.path), new Date(), new Date(Date.now() - 4_500));
    const store = await open(directory.path);
    expect(JSON.parse(await readFile(ownerPath(directory.path), 'utf8'))).toMatchObject({ pid: process.pid });
    await store.close();
  });

  it('takes a file that a crash cut off for nobody', async () => {
    const directory = await scope.use(temporaryDirectory());
    await writeFile(ownerPath(directory.path), '{"pid":');
    await (await open(directory.path)).close();
  });

  it('stops writing when another process has taken the directory', async () => {
    const directory = await scope.use(temporaryDirectory());
    const errors: string[] = [];
    let report = () => {};
    const reported = new Promise<void>((resolve) => {
      report = resolve;
    });
    const error = (_: unknown, message = _) => {
      errors.push(String(message));
      report();
    };
    const store = await openEmbeddedStore({ directory: directory.path, lanes: 1, logger: { info() {}, error } });
    await plantOwner(directory.path, { ...(await ownerOf(directory.path)), token: 'other' });
    await reported;
    expect(errors).toEqual([expect.stringContaining('another owner')]);
    await expect(commit(store, [{ documentId: 'a', fields: {} }])).rejects.toMatchObject({ kind: 'unavailable' });
    await store.close();
    expect(JSON.parse(await readFile(ownerPath(directory.path), 'utf8'))).toMatchObject({ token: 'other' });
  });
});

describe('what it opens', () => {
  it('refuses data of a newer format and leaves it alone', async () => {
    const directory = await scope.use(temporaryDirectory());
    await (await open(directory.path)).close();
    const environment = new Environment(directory.path);
    await environment.commit([{ table: environment.tables.meta, key: 'format', value: '2' }]);
    await environment.close();
    await expect(open(directory.path)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('format 2'),
    });
    await expect(open(directory.path)).rejects.toThrow('format 2');
  });

  it('says which directory cannot be used', async () => {
    const directory = await scope.use(temporaryDirectory());
    const file = join(directory.path, 'file');
    await writeFile(file, 'text');
    await expect(open(file)).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining(file) });
    await expect(open(join(file, 'below'))).rejects.toMatchObject({ kind: 'unavailable' });
    const garbage = join(directory.path, 'garbage');
    await mkdir(garbage);
    await writeFile(join(garbage, 'data.mdb'), 'no database'.repeat(2_000));
    await expect(open(garbage)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(garbage),
    });
  });

  it('refuses a number of lanes that makes no sense', async () => {
    const directory = await scope.use(temporaryDirectory());
    for (const lanes of [0, -1, 1.5, Number.NaN, 100_000]) {
      await expect(openEmbeddedStore({ directory: directory.path, lanes })).rejects.toMatchObject({ kind: 'invalid' });
    }
  });

  it('makes the directory, its parents, and a history of its own', async () => {
    const directory = await scope.use(temporaryDirectory());
    const path = join(directory.path, 'deep', 'er');
    const store = await openEmbeddedStore({ directory: path, lanes: 1, newId: () => 'history-1' });
    expect(store.history.id).toBe('history-1');
    await store.close();
  });
});

const ownerPath = (directory: string) => join(directory, 'owner.json');

/** The owner as a store of this process writes it. */
async function ownerOf(directory: string): Promise<Record<string, unknown>> {
  const present = await readFile(ownerPath(directory), 'utf8').catch(() => undefined);
  if (present !== undefined) return JSON.parse(present);
  const store = await open(directory);
  const text = await readFile(ownerPath(directory), 'utf8');
  await store.close();
  return JSON.parse(text);
}

async function plantOwner(directory: string, owner: Record<string, unknown>): Promise<void> {
  await writeFile(ownerPath(directory), JSON.stringify(owner));
}
