import { describe, expect, it } from '@jest/globals';
import { startMongo } from './start-mongo.ts';

describe('finding a server', () => {
  it('takes the one that the environment names', async () => {
    await using server = await startMongo({ env: { MONGODB_URI: 'mongodb://example:27017/', PATH: '' } });
    expect(server.uri).toBe('mongodb://example:27017/');
    expect(server.process).toBeUndefined();
  });

  it('says what a program printed that does not start', async () => {
    const env = { TIDEMARK_MONGO_BIN: process.execPath, PATH: '' };
    await expect(startMongo({ env })).rejects.toThrow(/does not answer: .*bad option/s);
  });

  it('says that a program is not there', async () => {
    const env = { TIDEMARK_MONGO_BIN: '/nowhere/mongod', PATH: '' };
    await expect(startMongo({ env })).rejects.toThrow(/mongod does not answer: .*ENOENT/);
  });

  it('keeps the data over a kill and a restart', async () => {
    await using server = await startMongo();
    if (!server.process) return expect(server.description).toMatch(/MONGODB_URI|Docker/);
    const { pid } = server.process;
    await server.process.kill();
    await server.process.restart();
    expect(server.process.pid).not.toBe(pid);
    await server.stop();
    await server.stop();
  }, 120_000);
});
