import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { Checkout, expectGone } from './testing/checkout.ts';
import { stubServer } from './testing/stub-server.ts';

const services = ['writer-1', 'writer-2', 'janitor', 'gateway-1', 'gateway-2'];
const followed = ['gateway-1', 'gateway-2', 'writer-1', 'writer-2', 'janitor'];
const elsewhere = { MONGODB_URI: 'mongodb://db.example', REDIS_URL: 'redis://redis.example' };

let checkout: Checkout;
beforeEach(async () => {
  checkout = await Checkout.create({ MODE: 'processes' });
});
afterEach(() => checkout[Symbol.asyncDispose]());

describe('make up MODE=processes', () => {
  it('runs a fleet that serves through both gateways, ends it whole, and finds its data again', async () => {
    checkout.useRepository();
    const up = await checkout.run('up.sh');
    expect(up).toMatchObject({ code: 0 });
    expect(up.out).toContain(`URL=http://localhost:${checkout.port + 1} npm run dev:client -- bob`);
    const status = await checkout.run('status.sh');
    expect(status.code).toBe(0);
    for (const name of services) expect(status.out).toMatch(new RegExp(`${name} .*"ready"`));
    expect(await writeAndRead(checkout.port, checkout.port + 1)).toEqual(['t1']);

    const pids = [...services, 'redis', 'mongo'].map((name) => checkout.processId(name));
    expect(await checkout.run('down.sh')).toMatchObject({ code: 0, out: 'Tidemark has stopped.\n', err: '' });
    await Promise.all(pids.map(expectGone));

    expect((await checkout.run('up.sh')).code).toBe(0);
    expect(await bootstrapped(await join(checkout.port + 1))).toEqual(['t1']);
  }, 480_000);

  it('clients drain before writers, and nothing is started that is given', async () => {
    checkout.stub(stubServer);
    expect((await checkout.run('up.sh', elsewhere)).code).toBe(0);
    expect(checkout.has('.run/redis.pid') || checkout.has('.run/mongo.pid')).toBe(false);
    await checkout.run('down.sh');
    expect(checkout.read('drained')).toMatch(/^gateway gateway (writer |janitor ){3}$/);
  }, 60_000);

  it('when one part does not start, says which and why, and leaves none running', async () => {
    checkout.stub(stubServer);
    const up = await checkout.run('up.sh', { ...elsewhere, STUB: 'broken', STUB_ONLY: 'janitor' });
    expect(up.code).not.toBe(0);
    expect(up.err).toContain('janitor has ended');
    expect(up.err).toContain('PORT must be a number');
    expect((await checkout.run('status.sh')).code).toBe(3);
    expect(checkout.read('drained')).toContain('gateway gateway');
  }, 60_000);

  it('tells of a part that has ended, and ends the others', async () => {
    checkout.stub(stubServer);
    await checkout.run('up.sh', elsewhere);
    process.kill(checkout.processId('writer-2'), 'SIGKILL');
    await expectGone(checkout.processId('writer-2'));
    const status = await checkout.run('status.sh');
    expect(status.code).toBe(1);
    expect(status.out).toContain('writer-2 has ended');
    // It would follow for ever: what it follows is enough.
    checkout.write('bin/tail', '#!/bin/sh\nprintf "%s " "$@"\n');
    const logs = await checkout.run('logs.sh');
    expect(logs.out.trim().split(' ').slice(2)).toEqual(['-f', ...followed.map((name) => `.run/${name}.log`)]);
    const rest = checkout.processId('writer-1');
    await checkout.run('down.sh');
    await expectGone(rest);
  }, 60_000);

  it('says what to do where Redis does not start', async () => {
    checkout.stub(stubServer);
    checkout.write('bin/redis-server', '#!/bin/sh\necho "Can not open the append-only file"\n');
    const up = await checkout.run('up.sh', { MONGODB_URI: elsewhere.MONGODB_URI });
    expect(up.code).toBe(1);
    expect(up.err).toContain('redis does not');
    expect(up.err).toContain('Can not open the append-only file');
  }, 60_000);
});

async function join(port: number): Promise<Socket> {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true, reconnection: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  await socket.timeout(10_000).emitWithAck('sync:join', { userId: 'ann', protocol: 1 });
  return socket;
}

async function bootstrapped(socket: Socket): Promise<string[]> {
  const page = new Promise<{ data: { _id: string }[] }>((resolve) => socket.once('sync:bootstrap', resolve));
  await socket.timeout(10_000).emitWithAck('sync:subscribe', { collection: 'tasks', filter: '' });
  const { data } = await page;
  socket.close();
  return data.map(({ _id }) => _id);
}

async function writeAndRead(writeAt: number, readAt: number): Promise<string[]> {
  const writer = await join(writeAt);
  const change = { id: 'c1', operation: 'insert', collection: 'tasks', documentId: 't1', data: { title: 'milk' } };
  expect(await writer.timeout(10_000).emitWithAck('sync:change', change)).toMatchObject({ outcome: 'applied' });
  writer.close();
  return bootstrapped(await join(readAt));
}
