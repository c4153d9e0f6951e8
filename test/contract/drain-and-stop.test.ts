import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { startServer } from '../rig/server.ts';

it('a drain answers what is under way, and sends clients away: those that are there and those that still come', async () => {
  await using server = await startServer();
  const client = await server.user('alice');
  const change = (n: number) => ({
    id: `c${n}`,
    operation: 'insert',
    collection: 'tasks',
    documentId: `d${n}`,
    data: { n },
  });
  const answers = Array.from({ length: 200 }, (_, n) => client.call('sync:change', change(n)));
  const [acks] = await Promise.all([Promise.all(answers), server.drain()]);
  expect(acks.every((ack) => ack.outcome === 'applied')).toBe(true);
  const late = await server.connectTo(0, { userId: 'bob' });
  for (const one of [client, late]) {
    const { reconnectAfterMs } = await one.next('sync:drain');
    expect(reconnectAfterMs).toBeGreaterThanOrEqual(0);
    expect(reconnectAfterMs).toBeLessThanOrEqual(3_000);
  }
});

it('a client that never finishes its request does not hold up the stop', async () => {
  await using server = await startServer();
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(
    'POST /api/sync/change HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  );
  await server.get('/health');
  const closed = once(socket, 'close');
  const begun = performance.now();
  await server.stop();
  await closed;
  expect(performance.now() - begun).toBeLessThan(8_000);
});
