import { describe, expect, it } from '@jest/globals';
import { runTransaction } from './run-transaction.ts';
import { useTestBed } from './testing/test-bed.ts';
import { LostRace } from './translate-error.ts';

const bed = useTestBed();
const policy = { retryForMs: 200, firstPauseMs: 1, maxPauseMs: 10 };
const lost = (collision: boolean) => new LostRace('lost', { collision });

describe('running a transaction', () => {
  it('gives up when races are lost for too long', async () => {
    let attempts = 0;
    const running = runTransaction(
      bed().db.client,
      async () => {
        attempts += 1;
        throw lost(false);
      },
      policy,
    );
    await expect(running).rejects.toMatchObject({ kind: 'unavailable', cause: { name: 'LostRace' } });
    expect(attempts).toBeGreaterThan(3);
  });

  it('blames the change when an insert meets the same row again and again', async () => {
    let attempts = 0;
    const body = async () => {
      attempts += 1;
      throw lost(true);
    };
    await expect(runTransaction(bed().db.client, body, policy)).rejects.toMatchObject({ kind: 'duplicate_key' });
    expect(attempts).toBe(3);
  });

  it('hands on what is not an error of the driver, and rolls back', async () => {
    const rows = bed().db.collection<{ _id: string }>('rows');
    await rows.insertOne({ _id: 'before' });
    const mistake = new TypeError('a mistake');
    const running = runTransaction(bed().db.client, async (session) => {
      await rows.insertOne({ _id: 'within' }, { session });
      throw mistake;
    });
    await expect(running).rejects.toBe(mistake);
    expect(await rows.countDocuments()).toBe(1);
  });

  it('tries again until it wins', async () => {
    const rows = bed().db.collection<{ _id: string }>('rows');
    let attempts = 0;
    const result = await runTransaction(bed().db.client, async (session) => {
      attempts += 1;
      await rows.insertOne({ _id: `attempt-${attempts}` }, { session });
      if (attempts < 3) throw lost(false);
      return attempts;
    });
    expect(result).toBe(3);
    expect((await rows.find().toArray()).map(({ _id }) => _id)).toEqual(['attempt-3']);
  });
});
