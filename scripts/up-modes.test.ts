import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { settingsTable } from '@tidemark/config';
import { parse } from 'yaml';
import { Checkout } from './testing/checkout.ts';
import { stubServer } from './testing/stub-server.ts';

/** Docker as far as the scripts use it: FAKE_DOCKER names the step that fails, `up` starts a server on PORT. */
const fakeDocker = `#!/usr/bin/env bash
echo "$*" >>docker-calls
case "\${FAKE_DOCKER:-} $*" in
  "engine version"*) exit 1 ;;
  "plugin compose version"*) exit 1 ;;
  "pull compose pull"*) echo 'no such host' >&2; exit 1 ;;
  "build compose build"*) echo 'npm error 404' >&2; exit 1 ;;
  "start compose up"*) echo 'gateway-1 is unhealthy' >&2; exit 1 ;;
  *" compose up"*) nohup node services/standalone/dist/main.js >/dev/null 2>&1 </dev/null & echo $! >container ;;
  *" compose ps"*) [ ! -f container ] || cat container ;;
  *" compose down"*) [ ! -f container ] || kill "$(cat container)"; rm -f container ;;
  *" compose logs"*) echo "log of the fleet" ;;
esac
`;

let checkout: Checkout;
beforeEach(async () => {
  checkout = await Checkout.create();
  checkout.stub(stubServer);
  checkout.write('bin/docker', fakeDocker);
});
afterEach(() => checkout[Symbol.asyncDispose]());

/** The line that tells the choice; there is exactly one. */
function choice(out: string): string {
  const lines = out.split('\n').filter((line) => line.startsWith('Mode '));
  expect(lines).toHaveLength(1);
  return `${lines[0]}`;
}

describe('what make up chooses', () => {
  it.each([
    ['engine', "because Docker's engine does not answer"],
    ['plugin', 'because Docker has no compose plugin'],
    ['pull', 'because images cannot be pulled (no such host)'],
    ['build', 'because the image cannot be built (npm error 404)'],
  ])(
    'one process where Docker fails at: %s',
    async (step, reason) => {
      const up = await checkout.run('up.sh', { FAKE_DOCKER: step });
      expect(up.code).toBe(0);
      expect(choice(up.out)).toMatch(/^Mode standalone, /);
      expect(choice(up.out)).toContain(reason);
      expect(up.out).toContain('Tidemark is ready');
    },
    60_000,
  );

  it('the fleet in Docker where Docker can', async () => {
    const up = await checkout.run('up.sh');
    expect(up.code).toBe(0);
    expect(choice(up.out)).toMatch(/^Mode compose, because Docker answers/);
    expect(up.out).toContain(`URL=http://localhost:${checkout.port} npm run dev:client -- bob`);
    expect((await checkout.run('status.sh')).out).toContain(`http://localhost:${checkout.port} (mode compose)`);
    expect((await checkout.run('logs.sh')).out).toBe('log of the fleet\n');
    expect((await checkout.run('up.sh')).out).toContain('running already');
    expect(await checkout.run('down.sh')).toMatchObject({ code: 0, out: 'Tidemark has stopped.\n' });
    expect(checkout.has('container')).toBe(false);
    expect((await checkout.run('status.sh')).code).toBe(3);
  }, 60_000);

  it('one process after all when the fleet in Docker does not get ready', async () => {
    const up = await checkout.run('up.sh', { FAKE_DOCKER: 'start' });
    expect(up.code).toBe(0);
    expect(up.err).toContain('gateway-1 is unhealthy');
    expect(up.out).toContain('Mode standalone, because docker compose could not start the fleet');
    expect(up.out).toContain('Tidemark is ready');
    expect(checkout.read('docker-calls')).toContain('compose down');
  }, 60_000);

  it('nothing else when MODE=compose fails', async () => {
    const up = await checkout.run('up.sh', { MODE: 'compose', FAKE_DOCKER: 'pull' });
    expect(up.code).toBe(1);
    expect(up.err).toContain('Tidemark did not start: images cannot be pulled (no such host)');
    expect(up.out).not.toContain('standalone, because');
  }, 60_000);

  it('what serves the MongoDB and the Redis that are given, without asking Docker', async () => {
    const mongodb = { MONGODB_URI: 'mongodb://db.example/shop' };
    expect(choice((await checkout.run('up.sh', mongodb)).out)).toContain('Mode standalone, because MONGODB_URI is set');
    await checkout.run('down.sh');
    const both = { ...mongodb, REDIS_URL: 'redis://redis.example' };
    expect(choice((await checkout.run('up.sh', both)).out)).toContain('Mode processes, because REDIS_URL is set');
    expect(checkout.has('docker-calls')).toBe(false);
  }, 60_000);

  it('refuses a mode that does not exist', async () => {
    const up = await checkout.run('up.sh', { MODE: 'cloud' });
    expect(up).toMatchObject({ code: 1, err: expect.stringContaining('MODE=cloud') });
  }, 60_000);
});

describe('docker-compose.yml', () => {
  it('passes every setting on to every service', () => {
    const text = readFileSync(join(__dirname, '../docker-compose.yml'), 'utf8');
    const { services }: { services: Record<string, { environment?: object }> } = parse(text, { merge: true });
    // Inside, the image says where: the port and the folders; the outside is in `ports` and `volumes`.
    const fixed = ['HOST', 'PORT', 'CONFIG_DIR', 'DATA_DIR'];
    const names = [...settingsTable().matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => `${name}`);
    expect(names).toContain('LEASE_TTL_MS');
    for (const service of ['gateway-1', 'gateway-2', 'writer-1', 'writer-2', 'janitor']) {
      const passed = Object.keys(services[service]?.environment ?? {});
      expect(passed.toSorted()).toEqual(names.filter((name) => !fixed.includes(name)).toSorted());
    }
    for (const name of ['PORT', 'CONFIG_DIR', 'DATA_DIR']) expect(text).toContain(`\${${name}:`);
  });
});
