import { beforeEach, describe, expect, it } from '@jest/globals';
import { brandAs, type Document, type DocumentKey } from '@tidemark/protocol/core';
import { ManualClock } from '../../test/manual-clock.ts';
import { settle } from '../../test/settle.ts';
import { HybridClock } from '../hybrid-clock.ts';
import { LocalDatabase } from './database.ts';
import { Flusher } from './flusher.ts';
import type { WriteBatch } from './records.ts';

let clock: ManualClock;
let database: LocalDatabase;
let batches: WriteBatch[];
let failures: unknown[];
/** Ends the write under way. */
let finish: ((error?: Error) => void)[];
let flusher: Flusher;

beforeEach(() => {
  clock = new ManualClock();
  database = new LocalDatabase(new HybridClock(() => clock.now()), 'c1');
  [batches, failures, finish] = [[], [], []];
  flusher = new Flusher({
    database,
    clock,
    write: (batch) =>
      new Promise((resolve, reject) => {
        batches.push(batch);
        finish.push((error) => (error ? reject(error) : resolve()));
      }),
    written: () => {},
    failed: (error) => failures.push(error),
  });
  database.onDirty = () => flusher.schedule();
});

const tell = (id: string, version = 1) =>
  database.mutate(() => database.documents.tell('tasks', { _id: id, sync_version: version } as Document));
const written = () =>
  batches.map(({ putDocuments }) => putDocuments.map(({ document }) => `${document._id}${document.sync_version}`));

describe('Flusher', () => {
  it('writes what changes in one turn in one batch, and one batch at a time', async () => {
    tell('a');
    tell('b');
    await settle();
    tell('c');
    tell('a', 2);
    await settle();
    expect(written()).toEqual([['a1', 'b1']]);
    finish[0]?.();
    await settle();
    expect(written()).toEqual([
      ['a1', 'b1'],
      ['c1', 'a2'],
    ]);
    finish[1]?.();
    await settle();
    expect(database.journal.isDirty).toBe(false);
  });

  it('writes a checkpoint with the documents that it stands for', async () => {
    database.mutate(() => {
      database.documents.tell('tasks', { _id: 'a', sync_version: 1 } as Document);
      database.setMeta({ checkpoint: { token: 't1', subscriptions: ['s'] } });
    });
    await settle();
    tell('b');
    database.mutate(() => database.setMeta({ checkpoint: { token: 't2', subscriptions: ['s'] } }));
    finish[0]?.();
    await settle();
    expect(batches.map(({ meta, putDocuments }) => [meta?.checkpoint?.token, putDocuments.length])).toEqual([
      ['t1', 1],
      ['t2', 1],
    ]);
  });

  it('resolves those who wait when their changes are stored, not before', async () => {
    tell('a');
    let isDone = false;
    void flusher.flushed().then(() => {
      isDone = true;
    });
    await settle();
    expect(isDone).toBe(false);
    finish[0]?.();
    await settle();
    expect(isDone).toBe(true);
  });

  it('resolves at once when there is nothing to write', async () => {
    await flusher.flushed();
    expect(batches).toEqual([]);
  });

  it('keeps everything dirty after a failure, and tries again', async () => {
    tell('a');
    const refused = expect(flusher.flushed()).rejects.toThrow('no room');
    await settle();
    tell('b');
    finish[0]?.(new Error('no room'));
    await refused;
    await settle();
    expect(failures).toEqual([new Error('no room')]);
    expect(batches).toHaveLength(1);
    clock.advance(5_000);
    await settle();
    expect(new Set(written()[1])).toEqual(new Set(['a1', 'b1']));
    finish[1]?.();
    await settle();
    expect(database.journal.isDirty).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it('deletes what has gone meanwhile', async () => {
    tell('a');
    await settle();
    finish[0]?.();
    await settle();
    database.mutate(() => database.documents.drop('tasks', () => true));
    await settle();
    expect(batches[1]).toMatchObject({
      putDocuments: [],
      deleteDocuments: [{ collection: 'tasks', key: brandAs<DocumentKey>('a') }],
    });
    finish[1]?.();
    await flusher.stop();
  });

  it('does not try any more when it was stopped', async () => {
    await flusher.stop();
    tell('a');
    await expect(flusher.flushed()).rejects.toMatchObject({ code: 'closed' });
    await settle();
    expect(batches).toEqual([]);
    expect(failures).toEqual([]);
    expect(clock.timers).toBe(0);
  });
});
