import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** Ready at its second probe; SIGTERM leaves a mark that it was asked nicely. */
const stubServer = `
  import { createServer } from 'node:http';
  import { writeFileSync } from 'node:fs';
  if (process.env.STUB === 'broken') { console.error('PORT must be a number'); process.exit(1); }
  let probes = 0;
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/ready' && process.env.STUB !== 'never' && probes++ > 0 ? 200 : 503;
    response.end(JSON.stringify({ status: response.statusCode === 200 ? 'ready' : 'store' }));
  });
  server.listen(Number(process.env.PORT));
  process.on('SIGTERM', () => {
    if (process.env.STUB === 'stubborn') return;
    writeFileSync('drained', process.env.DATA_DIR ?? '');
    process.exit(0);
  });
`;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('make up and make down', () => {
  let folder: string;
  let port: number;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-up-'));
    for (const name of ['install.sh', 'run-state.sh', 'up.sh', 'down.sh', 'status.sh', 'is-install-current.mjs']) {
      cpSync(join(__dirname, name), join(folder, 'scripts', name));
    }
    write('package.json', JSON.stringify({ type: 'module', scripts: { build: 'true' } }));
    write('package-lock.json', JSON.stringify({ packages: {} }));
    write('node_modules/.package-lock.json', JSON.stringify({ packages: {} }));
    write('services/standalone/dist/main.js', stubServer);
    port = await freePort();
  });

  afterEach(async () => {
    await run('down.sh', { DOWN_TIMEOUT: '0' });
    rmSync(folder, { recursive: true });
  });

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  function run(script: string, extra: Record<string, string> = {}): Promise<Outcome> {
    const env = { ...process.env, MODE: 'standalone', PORT: String(port), ...extra };
    return new Promise((resolve) => {
      execFile('bash', [join(folder, 'scripts', script)], { env, timeout: 60_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });
  }

  const processId = () => Number(readFileSync(join(folder, '.run/standalone.pid'), 'utf8'));

  it('starts, waits until it is ready, tells what to try; then drains and leaves nothing', async () => {
    const up = await run('up.sh', { DATA_DIR: '/somewhere' });
    expect(up).toMatchObject({ code: 0, err: '' });
    expect(up.out).toContain(`Tidemark is ready: http://localhost:${port}`);
    expect(up.out).toContain(`URL=http://localhost:${port} npm run dev:client -- bob`);
    expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(200);
    expect((await run('status.sh')).code).toBe(0);
    const pid = processId();

    expect(await run('down.sh')).toMatchObject({ code: 0, out: 'Tidemark has stopped.\n' });
    expect(readFileSync(join(folder, 'drained'), 'utf8')).toBe('/somewhere');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(existsSync(join(folder, '.run/standalone.pid'))).toBe(false);
    expect((await run('status.sh')).code).toBe(3);
  }, 60_000);

  it('a second start says where it runs, and starts no other', async () => {
    await run('up.sh');
    const pid = processId();
    const again = await run('up.sh', { PORT: String(port + 1) });
    expect(again.code).toBe(0);
    expect(again.out).toContain(`running already: http://localhost:${port} (process ${pid})`);
    expect(processId()).toBe(pid);
  }, 60_000);

  it('shows the log of a server that does not start', async () => {
    const up = await run('up.sh', { STUB: 'broken' });
    expect(up.code).toBe(1);
    expect(up.err).toContain('did not start');
    expect(up.err).toContain('PORT must be a number');
  }, 60_000);

  it('does not wait for ever for a server that does not get ready, and says what it lacks', async () => {
    const up = await run('up.sh', { STUB: 'never', UP_TIMEOUT: '1' });
    expect(up.code).toBe(1);
    expect(up.err).toContain('{"status":"store"}');
  }, 60_000);

  it('takes no other server on the port for its own', async () => {
    const other = createServer((_, response) => response.end('{}'));
    await new Promise<void>((resolve) => other.listen(port, resolve));
    const up = await run('up.sh');
    await new Promise((resolve) => other.close(resolve));
    expect(up.code).toBe(1);
    expect(up.err).toContain(`Something else answers on port ${port}`);
    expect(existsSync(join(folder, '.run/standalone.pid'))).toBe(false);
  }, 60_000);

  it('ends a server that does not listen, and says so', async () => {
    await run('up.sh', { STUB: 'stubborn' });
    const pid = processId();
    const down = await run('down.sh', { DOWN_TIMEOUT: '1' });
    expect(down.err).toContain('was killed');
    await expectGone(pid);
  }, 60_000);

  it('with nothing to stop, or the id of some other process, stops nothing', async () => {
    expect(await run('down.sh')).toMatchObject({ code: 0, out: 'Tidemark is not running.\n' });
    write('.run/standalone.pid', String(process.pid));
    expect(await run('down.sh')).toMatchObject({ code: 0, out: 'Tidemark is not running.\n' });
  }, 60_000);

  it('refuses a mode that does not exist', async () => {
    expect(await run('up.sh', { MODE: 'cloud' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('MODE=cloud'),
    });
  }, 60_000);
});

/** SIGKILL is carried out by the kernel a moment later. */
async function expectGone(pid: number): Promise<void> {
  for (let left = 100; left > 0; left--) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`process ${pid} is still there`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
