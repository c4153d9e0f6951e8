import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { SettingsError } from '@tidemark/config';
import { SyncError } from '@tidemark/protocol';
import { explainFailure } from './explain-failure.ts';

async function listenFailure(host: string, port: number): Promise<unknown> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => reject(new Error('it listens'))));
  });
}

describe('explainFailure', () => {
  it('is the sentence of an error that is ours', () => {
    expect(explainFailure(new SettingsError(['PORT must be a port']))).toBe('PORT must be a port');
    expect(explainFailure(new SyncError('unavailable', 'gone'))).toBe('gone');
  });

  it('tells of a taken port', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const failure = await listenFailure('127.0.0.1', port);
    await new Promise((resolve) => other.close(resolve));
    expect(explainFailure(failure)).toMatch(/^the port is taken: .*EADDRINUSE/);
  });

  it('tells of a HOST that is not known, or not this machine', async () => {
    expect(explainFailure(await listenFailure('nonsense.invalid', 0))).toMatch(/is HOST right\? .*nonsense\.invalid/);
    expect(explainFailure(await listenFailure('192.0.2.1', 0))).toMatch(/^HOST and PORT .*192\.0\.2\.1/);
  });

  it('tells of rights that are missing', () => {
    const refused = Object.assign(new Error('listen EACCES: permission denied 0.0.0.0:80'), {
      code: 'EACCES',
      syscall: 'listen',
    });
    expect(explainFailure(refused)).toMatch(/^PORT needs rights .*0\.0\.0\.0:80/);
  });

  it('shows where anything else comes from', () => {
    expect(explainFailure(new TypeError('oh'))).toMatch(/TypeError: oh\n +at /);
    expect(explainFailure('oh')).toBe('oh');
  });
});
