import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Checkout, expectGone } from './testing/checkout.ts';
import { stubServer } from './testing/stub-server.ts';

describe('make up and make down', () => {
  let checkout: Checkout;
  let port: number;
  beforeEach(async () => {
    checkout = await Checkout.create({ MODE: 'standalone' });
    checkout.stub(stubServer);
    port = checkout.port;
  });
  afterEach(() => checkout[Symbol.asyncDispose]());

  it('starts, waits until it is ready, tells what to try; then drains and leaves nothing', async () => {
    const up = await checkout.run('up.sh', { DATA_DIR: '/somewhere' });
    expect(up).toMatchObject({ code: 0, err: '' });
    expect(up.out).toContain(`Tidemark is ready: http://localhost:${port}`);
    expect(up.out).toContain(`URL=http://localhost:${port} npm run dev:client -- bob`);
    expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(200);
    expect(checkout.read('.run/standalone.log')).toContain('started with /somewhere');
    expect((await checkout.run('status.sh')).code).toBe(0);
    const pid = checkout.processId('standalone');

    expect(await checkout.run('down.sh')).toMatchObject({ code: 0, out: 'Tidemark has stopped.\n' });
    expect(checkout.read('drained')).toBe('standalone ');
    await expectGone(pid);
    expect(checkout.has('.run/standalone.pid')).toBe(false);
    expect((await checkout.run('status.sh')).code).toBe(3);
    expect((await checkout.run('logs.sh')).code).toBe(3);
  }, 60_000);

  it('a second start says where it runs, and starts no other', async () => {
    await checkout.run('up.sh');
    const pid = checkout.processId('standalone');
    const again = await checkout.run('up.sh', { PORT: String(port + 1), MODE: 'processes' });
    expect(again.code).toBe(0);
    expect(again.out).toContain(`running already: http://localhost:${port} (mode standalone)`);
    expect(checkout.processId('standalone')).toBe(pid);
  }, 60_000);

  it('shows the log of a server that does not start', async () => {
    const up = await checkout.run('up.sh', { STUB: 'broken' });
    expect(up.code).not.toBe(0);
    expect(up.err).toContain('did not start');
    expect(up.err).toContain('PORT must be a number');
  }, 60_000);

  it('does not wait for ever for a server that does not get ready, and says what it lacks', async () => {
    const up = await checkout.run('up.sh', { STUB: 'never', UP_TIMEOUT: '10' });
    expect(up.code).toBe(1);
    expect(up.err).toContain('{"status":"store"}');
    expect((await checkout.run('status.sh')).code).toBe(1);
  }, 60_000);

  it('is asked where it listens', async () => {
    const up = await checkout.run('up.sh', { HOST: '127.0.0.1' });
    expect(up).toMatchObject({ code: 0, err: '' });
    expect(up.out).toContain(`Tidemark is ready: http://127.0.0.1:${port}\n`);
  }, 60_000);

  it('takes no other server on the port for its own', async () => {
    const other = createServer((_, response) => response.end('{}'));
    await new Promise<void>((resolve) => other.listen(port, resolve));
    const up = await checkout.run('up.sh');
    await new Promise((resolve) => other.close(resolve));
    expect(up.code).toBe(1);
    expect(up.err).toContain(`Something else answers on port ${port}`);
    expect(checkout.has('.run/standalone.pid')).toBe(false);
  }, 60_000);

  it('ends a server that does not listen, and says so', async () => {
    await checkout.run('up.sh', { STUB: 'stubborn' });
    const pid = checkout.processId('standalone');
    const down = await checkout.run('down.sh', { DOWN_TIMEOUT: '1' });
    expect(down.err).toContain('was killed');
    await expectGone(pid);
  }, 60_000);

  it('with nothing to stop, or the id of some other process, stops nothing', async () => {
    expect(await checkout.run('down.sh')).toMatchObject({ code: 0, out: 'Tidemark is not running.\n' });
    checkout.write('.run/standalone.pid', String(process.pid));
    expect(await checkout.run('down.sh')).toMatchObject({ code: 0, out: 'Tidemark is not running.\n' });
  }, 60_000);

  it.each([
    ['LANES=3 # three', '3'],
    ['LANES="3" # three', '3'],
    ['  export LANES = 3  \r', '3'],
    ["LANES='# 3'", '# 3'],
    ['LANES=p#3', 'p#3'],
    ['LANES= # three', ''],
  ])('reads %j in .env as others do', async (line, value) => {
    checkout.write('.env', `${line}\n`);
    checkout.write(
      'scripts/probe.sh',
      'cd "$(dirname "$0")/.." && . scripts/run-state.sh && load_environment && echo "$LANES"',
    );
    expect((await checkout.run('probe.sh')).out).toBe(`${value}\n`);
  });

  it('takes settings from .env, and prefers the environment; folders begin at the repository', async () => {
    checkout.write('.env', '# mine\nLANES="3"\nDATA_DIR=elsewhere\nLOG_LEVEL=\n');
    await checkout.run('up.sh', { DATA_DIR: 'store' });
    expect(checkout.read('.run/standalone.log')).toContain(`started with ${checkout.folder}/store 3\n`);
  }, 60_000);
});
