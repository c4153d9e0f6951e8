import { describe, expect, it, jest } from '@jest/globals';
import { isInProcess, startServer } from '../rig/server.ts';
import { waitUntil } from '../rig/wait-until.ts';

jest.setTimeout(60_000);

const inProcess = isInProcess ? it : it.skip;

describe('a gateway that goes away', () => {
  inProcess('tells everyone when to come back, is not ready any more, and still answers what was begun', async () => {
    await using server = await startServer();
    const clients = await Promise.all(Array.from({ length: 10 }, (_, n) => server.user(`user${n}`)));
    const acks = clients.map((client, n) =>
      client.call('sync:change', { operation: 'insert', collection: 'tasks', documentId: `d${n}`, data: { n } }),
    );
    const draining = server.drain();
    expect((await Promise.all(acks)).every((ack) => ack.success)).toBe(true);
    const delays = await Promise.all(
      clients.map(async (client) => (await client.next('sync:drain')).reconnectAfterMs as number),
    );
    expect(delays.every((delay) => Number.isFinite(delay) && delay >= 0)).toBe(true);
    expect(new Set(delays).size).toBeGreaterThan(1);
    await draining;
    const ready = await server.get('/ready');
    expect(ready.status).toBe(503);
    expect(ready.text).toContain('draining');
    expect((await server.get('/health')).status).toBe(200);
  });

  it('with a signal: drains, ends, and loses nothing; clients resume at the next one', async () => {
    await using server = await startServer({ process: true });
    const reader = await server.user('reader');
    await reader.subscribe('tasks');
    const writer = await server.user('writer');
    const acked: string[] = [];
    const writing = (async () => {
      for (let n = 0; writer.payloads('sync:drain').length === 0; n++) {
        const change = { operation: 'insert', collection: 'tasks', documentId: `d${n}`, data: { n } };
        const ack = await writer.call('sync:change', change).catch(() => undefined);
        if (ack?.success) acked.push(`d${n}`);
      }
    })();
    await waitUntil(() => acked.length > 50);
    const stopping = server.stop();
    expect(await reader.next('sync:drain')).toEqual({ reconnectAfterMs: expect.any(Number) });
    await stopping;
    await reader.disconnected();
    await writing;
    await server.start();
    const next = await server.connect({ userId: 'reader', view: reader.view });
    await next.join({ protocol: 1, subscriptions: [{ collection: 'tasks' }], checkpoint: reader.view.checkpoint });
    await next.mark();
    expect(next.payloads('sync:reset')).toEqual([]);
    expect(next.view.ids('tasks')).toEqual(expect.arrayContaining(acked));
  });
});
