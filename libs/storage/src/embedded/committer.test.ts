import { describe, expect, it } from '@jest/globals';
import { StoreError } from '../store-error.ts';
import { Committer, type Job, readRow } from './committer.ts';
import { Environment, type RowWrite } from './environment.ts';
import { useScope } from './fixtures/scope.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

const scope = useScope();

/** A committer on real files, of which each commit can be watched and made to fail. */
async function newRig() {
  const directory = await temporaryDirectory();
  const environment = new Environment(directory.path);
  const commits: (readonly RowWrite[])[] = [];
  let failure: Error | undefined;
  const committer = new Committer({
    async commit(writes) {
      commits.push(writes);
      if (failure) throw failure;
      await environment.commit(writes);
    },
  });
  return {
    committer,
    commits,
    table: environment.tables.meta,
    failWith(error: Error | undefined) {
      failure = error;
    },
    async [Symbol.asyncDispose]() {
      await committer.close('the test is over');
      await environment.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

type Rig = Awaited<ReturnType<typeof newRig>>;

const appending = ({ table }: Rig, text: string): Job<string> => ({
  weight: 1,
  run(view) {
    const result = (view.get(table, 'row') ?? '') + text;
    return { writes: [{ table, key: 'row', value: result }], result };
  },
});

const failing: Job<never> = {
  weight: 1,
  run() {
    throw new Error('this job is wrong');
  },
};

describe('committer', () => {
  it('puts what waits into one commit, each job upon those before it', async () => {
    const rig = await scope.use(newRig());
    const results = await Promise.all(['a', 'b', 'c'].map((text) => rig.committer.submit(appending(rig, text))));
    expect(results).toEqual(['a', 'ab', 'abc']);
    expect(rig.commits).toHaveLength(1);
    expect(readRow(rig.table, 'row')).toBe('abc');
  });

  it('lets what arrives during a commit share the next one', async () => {
    const rig = await scope.use(newRig());
    const first = rig.committer.submit(appending(rig, 'a'));
    await Promise.resolve();
    await Promise.resolve();
    expect(rig.commits).toHaveLength(1);
    const others = ['b', 'c'].map((text) => rig.committer.submit(appending(rig, text)));
    expect(readRow(rig.table, 'row')).toBeUndefined();
    expect(await Promise.all([first, ...others])).toEqual(['a', 'ab', 'abc']);
    expect(rig.commits).toHaveLength(2);
  });

  it('does not mix a job that throws with the others', async () => {
    const rig = await scope.use(newRig());
    const results = await Promise.allSettled([
      rig.committer.submit(appending(rig, 'a')),
      rig.committer.submit(failing),
      rig.committer.submit(appending(rig, 'b')),
    ]);
    expect(results).toEqual([
      { status: 'fulfilled', value: 'a' },
      { status: 'rejected', reason: new Error('this job is wrong') },
      { status: 'fulfilled', value: 'ab' },
    ]);
  });

  it('fails all jobs of a commit that fails, and none of the next', async () => {
    const rig = await scope.use(newRig());
    rig.failWith(new StoreError('unavailable', 'the disk is full'));
    const results = await Promise.allSettled(['a', 'b'].map((text) => rig.committer.submit(appending(rig, text))));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(rig.committer.lastFailure).toMatchObject({ message: 'the disk is full' });
    rig.failWith(undefined);
    expect(await rig.committer.submit(appending(rig, 'c'))).toBe('c');
    expect(rig.committer.lastFailure).toBeUndefined();
  });

  it('commits nothing for jobs that write nothing', async () => {
    const rig = await scope.use(newRig());
    const result = await rig.committer.submit({ weight: 1, run: () => ({ writes: [], result: 7 }) });
    expect([result, rig.commits.length]).toEqual([7, 0]);
  });

  it('bounds a commit by the weight of its jobs', async () => {
    const rig = await scope.use(newRig());
    const heavy = { ...appending(rig, 'x'), weight: 3_000 };
    await Promise.all([1, 2, 3, 4, 5].map(() => rig.committer.submit(heavy)));
    expect(rig.commits.map((writes) => writes.length)).toEqual([2, 2, 1]);
  });

  it('bounds how many jobs wait', async () => {
    const rig = await scope.use(newRig());
    const jobs = Array.from({ length: 10_001 }, () => rig.committer.submit(appending(rig, '')));
    const results = await Promise.allSettled(jobs);
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([
      { status: 'rejected', reason: expect.objectContaining({ kind: 'unavailable' }) },
    ]);
  });

  it('ends what was accepted before it closes, and accepts no more', async () => {
    const rig = await scope.use(newRig());
    const accepted = ['a', 'b'].map((text) => rig.committer.submit(appending(rig, text)));
    await rig.committer.close('closed');
    expect(readRow(rig.table, 'row')).toBe('ab');
    await Promise.all(accepted);
    await expect(rig.committer.submit(appending(rig, 'c'))).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'closed',
    });
  });
});

describe('environment', () => {
  it('shows a commit to readers when it has resolved, and not before', async () => {
    const directory = await scope.use(temporaryDirectory());
    const environment = new Environment(directory.path);
    const { meta } = environment.tables;
    const committed = environment.commit([{ table: meta, key: 'a', value: '1' }]);
    expect(readRow(meta, 'a')).toBeUndefined();
    await committed;
    expect(readRow(meta, 'a')).toBe('1');
    await environment.commit([
      { table: meta, key: 'a', value: undefined },
      { table: meta, key: 'b', value: '' },
    ]);
    expect([readRow(meta, 'a'), readRow(meta, 'b')]).toEqual([undefined, '']);
    await environment.close();
  });

  it('keeps keys of any bytes and values of any text', async () => {
    const directory = await scope.use(temporaryDirectory());
    const environment = new Environment(directory.path);
    const { meta, log } = environment.tables;
    const keys = ['\0', '\0\0', 'a\0', '\u00ff', '\u0080a', 'x'.repeat(1978)];
    const text = 'Ω\u{1f600}\0"\n'.repeat(50_000);
    await environment.commit(keys.map((key) => ({ table: meta, key, value: key + text })));
    expect(keys.map((key) => readRow(meta, key) === key + text)).toEqual(keys.map(() => true));
    expect(Array.from(meta.getKeys({ start: '\0' }))).toEqual(keys.toSorted());
    expect(readRow(log, '\0')).toBeUndefined();
    await environment.close();
  });
});
