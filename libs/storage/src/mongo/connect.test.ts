import { describe, expect, it, jest } from '@jest/globals';
import { connect } from './connect.ts';
import { freePort, startMongo } from './testing/index.ts';

jest.setTimeout(120_000);
const rest = { poolSize: 2, socketTimeoutMs: 5_000 };

describe('connecting', () => {
  it('refuses a standalone server and says how to make it a replica set', async () => {
    await using server = await startMongo({ standalone: true });
    await expect(connect({ uri: server.uri, ...rest })).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/--replSet rs0.*rs\.initiate\(\)/),
    });
  });

  it('says that nobody answers, with the cause, after the time that the connection string gives', async () => {
    const start = performance.now();
    const uri = `mongodb://127.0.0.1:${await freePort()}/?serverSelectionTimeoutMS=300`;
    const refused = connect({ uri, ...rest });
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(refused).rejects.toHaveProperty('cause.name', 'MongoServerSelectionError');
    expect(performance.now() - start).toBeLessThan(4_000);
  });

  it.each(['', 'localhost', 'http://user:secret@host', 'mongodb://user:secret@/x', 'mongodb://u:secret@h/?nonsense=1'])(
    'refuses %j without quoting it',
    async (uri) => {
      const error = await connect({ uri, ...rest }).catch((reason: Error) => reason);
      expect(error).toMatchObject({ kind: 'invalid', message: expect.stringContaining('MONGODB_URI') });
      expect(String((error as Error).stack)).not.toContain('secret');
    },
  );
});
