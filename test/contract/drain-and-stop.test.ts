import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, jest } from '@jest/globals';
import { isInProcess, startServer } from '../rig/server.ts';

jest.setTimeout(30_000);

const inProcess = isInProcess ? it : it.skip;

inProcess('a drain also sends away clients that come only now', async () => {
  await using server = await startServer();
  await server.drain();
  const late = await server.connect({ userId: 'bob' });
  const { reconnectAfterMs } = await late.next('sync:drain');
  expect(reconnectAfterMs).toBeGreaterThanOrEqual(0);
  expect(reconnectAfterMs).toBeLessThanOrEqual(3_000);
});

inProcess('a client that never finishes its request does not hold up the stop', async () => {
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
