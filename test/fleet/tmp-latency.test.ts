import { expect, it } from '@jest/globals';
import { Backends } from '../rig/backends.ts';
import { Fleet } from '../rig/fleet.ts';

const clientsN = Number(process.env.N ?? 10);
const inFlight = Number(process.env.F ?? 1);
const seconds = Number(process.env.S ?? 5);
it('latency', async () => {
  await using backends = await Backends.start();
  await using fleet = await Fleet.start({
    env: { ...backends.env(), NODE_ENV: 'development', ...(process.env.L ? { LANES: process.env.L } : {}) },
  });
  const sub = await fleet.connect(1, { userId: 'sub' });
  await sub.join({ protocol: 1 });
  await sub.subscribe('c');
  const sent = new Map<string, number>();
  const lat: number[] = [],
    ackLat: number[] = [],
    crossAck: number[] = [];
  const ackedAt = new Map<string, number>();
  sub.socket.on('sync:changes', (list: { id: string }[]) => {
    const now = performance.now();
    for (const { id } of list) {
      const at = sent.get(id);
      if (at !== undefined) {
        lat.push(now - at);
        const a = ackedAt.get(id);
        if (a) crossAck.push(now - a);
      }
    }
  });
  const clients = await Promise.all(
    Array.from({ length: clientsN }, async (_, i) => {
      const c = await fleet.connect(0, { userId: `u${i}` });
      await c.join({ protocol: 1 });
      return c;
    }),
  );
  const end = performance.now() + seconds * 1000;
  let n = 0;
  await Promise.all(
    clients.flatMap((c, i) =>
      Array.from({ length: inFlight }, async (_, f) => {
        while (performance.now() < end) {
          const id = `x${i}-${f}-${n++}`;
          const at = performance.now();
          sent.set(id, at);
          const ack = await c.call('sync:change', {
            id,
            operation: 'insert',
            collection: 'c',
            documentId: id,
            data: { a: 1 },
          });
          if (!ack.success) console.log(ack);
          ackLat.push(performance.now() - at);
          ackedAt.set(id, performance.now());
        }
      }),
    ),
  );
  await sub.mark();
  const q = (l: number[], p: number) => {
    l.sort((a, b) => a - b);
    return Math.round(l[Math.floor(l.length * p)] ?? -1);
  };
  const metrics = await Promise.all(
    [...fleet.gateways, ...fleet.writers].map(async (g) =>
      (await (await fetch(`${g.url}/metrics`)).text())
        .split('\n')
        .filter((l) => /gap|stage.*(sum|count)|redeliver|jobs/.test(l) && !l.startsWith('#'))
        .join('\n'),
    ),
  );
  console.log(
    JSON.stringify({
      n,
      perSec: n / seconds,
      lat: [lat.length, q(lat, 0.5), q(lat, 0.99)],
      ack: [q(ackLat, 0.5), q(ackLat, 0.99)],
      afterAck: [q(crossAck, 0.5), q(crossAck, 0.99)],
    }) +
      '\n' +
      metrics.join('\n--\n'),
  );
  const warn = fleet.services.flatMap((s) => s.log.filter((l) => l.level !== 'info'));
  console.log(warn.length, JSON.stringify(warn.slice(0, 8)));
  for (const c of [...clients, sub]) await c[Symbol.asyncDispose]();
  expect(lat.length).toBe(n);
}, 120_000);
