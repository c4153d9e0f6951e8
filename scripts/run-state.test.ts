import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Checkout, expectGone } from './testing/checkout.ts';
import { stubServer } from './testing/stub-server.ts';

let checkout: Checkout;
beforeEach(async () => {
  checkout = await Checkout.create();
  checkout.stub(stubServer);
});
afterEach(() => checkout[Symbol.asyncDispose]());

async function written(path: string): Promise<string> {
  for (let left = 500; left > 0; left--) {
    if (checkout.has(path) && checkout.read(path).endsWith('\n')) return checkout.read(path).trim();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nobody has written ${path}`);
}

describe('a process that was started', () => {
  it('has a log of its own at once, not that of the last time', async () => {
    const probe = `
      cd "$(dirname "$0")/.." && . scripts/run-state.sh && mkdir -p .run
      for round in 1 2 3 4 5 6 7 8 9 10; do
        echo old >.run/standalone.log
        start_process standalone bash -c 'sleep 30; :' services/standalone/dist/main.js
        read -r line <.run/standalone.log || echo none
        stop_all_processes
      done`;
    checkout.write('scripts/probe.sh', probe);
    const { out } = await checkout.run('probe.sh', { DOWN_TIMEOUT: '0' });
    expect(out).toBe('none\n'.repeat(10));
  }, 60_000);
});

describe('what a killed process leaves running', () => {
  it('is ended by make down', async () => {
    const keeper = `
      import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      writeFileSync('database.pid', spawn('sleep', ['300']).pid + '\\n');
      console.log('MONGODB_URI=mongodb://db.example');`;
    checkout.write('scripts/mongo-server.mjs', keeper);
    expect((await checkout.run('up.sh', { MODE: 'processes', REDIS_URL: 'redis://redis.example' })).code).toBe(0);
    process.kill(checkout.processId('mongo'), 'SIGKILL');
    await expectGone(checkout.processId('mongo'));
    await checkout.run('down.sh');
    await expectGone(Number(checkout.read('database.pid')));
  }, 60_000);

  it('is nothing where a MongoDB is stopped while it starts', async () => {
    const unready = await Checkout.create();
    await using _end = unready;
    unready.useRepository();
    checkout.write('bin/mongod', '#!/bin/sh\necho $$ >database.pid\nexec sleep 300\n');
    const script = join(unready.folder, 'scripts/mongo-server.mjs');
    const env = { PATH: process.env.PATH, TIDEMARK_MONGO_BIN: join(checkout.folder, 'bin/mongod') };
    const keeper = spawn(process.execPath, [script], { cwd: checkout.folder, env, stdio: 'ignore' });
    const database = Number(await written('database.pid'));
    keeper.kill('SIGTERM');
    await once(keeper, 'exit');
    await expectGone(database);
  }, 60_000);
});

describe('two starts at once', () => {
  it('start one server, which make down finds', async () => {
    const settings = { MODE: 'standalone' };
    const ups = await Promise.all([checkout.run('up.sh', settings), checkout.run('up.sh', settings)]);
    expect(ups.map(({ code }) => code).toSorted()).toEqual([0, 1]);
    expect(ups.map(({ err }) => err).join('')).toMatch(/^Another make up is at work \(process \d+\)\n$/);
    expect((await checkout.run('down.sh')).out).toBe('Tidemark has stopped.\n');
    await expect(fetch(`http://127.0.0.1:${checkout.port}/ready`)).rejects.toThrow();
  }, 60_000);

  it('are not seen where the first was killed', async () => {
    checkout.write('.run/up.pid', String(process.pid));
    expect((await checkout.run('up.sh', { MODE: 'standalone' })).code).toBe(0);
    expect(checkout.has('.run/up.pid')).toBe(false);
  }, 60_000);
});

describe('what a start needs', () => {
  it.each(['3000x', '0', '65536', '-1'])('is a port, and not %s', async (port) => {
    const up = await checkout.run('up.sh', { MODE: 'processes', PORT: port });
    expect(up).toMatchObject({ code: 1, err: `PORT must be a whole number from 1 to 65535, not "${port}"\n` });
  });

  it('is curl and ps, which are named where they are missing and cannot be installed', async () => {
    const probe = `
      cd "$(dirname "$0")/.." && . scripts/install.sh
      install_package() { echo "installing $1"; }
      PATH=/nowhere require_tools`;
    checkout.write('scripts/probe.sh', probe);
    expect(await checkout.run('probe.sh')).toMatchObject({
      code: 1,
      out: 'installing curl\ninstalling procps\n',
      err: 'Nothing was started: curl is missing\n',
    });
  });
});
