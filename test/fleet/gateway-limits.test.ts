import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Backends } from '../rig/backends.ts';
import { HandshakeRefused, type TestClient } from '../rig/client.ts';
import { Fleet } from '../rig/fleet.ts';
import { waitUntil } from '../rig/wait-until.ts';

jest.setTimeout(120_000);

const limits = { MAX_CONNECTIONS_PER_USER: '2', MAX_CONNECTIONS_PER_IP: '3', TRUST_PROXY: '1' };
const proxied = (address: string) => ({ headers: { 'x-forwarded-for': address } });

let backends: Backends;
let fleet: Fleet;
const clients: TestClient[] = [];
beforeAll(async () => {
  backends = await Backends.start();
  const env = { ...backends.env, NODE_ENV: 'development', ...limits };
  fleet = await Fleet.start({ gateways: 2, writers: 0, janitors: 0, env });
}, 60_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await fleet?.[Symbol.asyncDispose]();
  await backends?.[Symbol.asyncDispose]();
});

/** The code of the refusal; undefined when the user is in. */
async function join(gateway: number, userId: string, address: string): Promise<string | undefined> {
  const client = await fleet.connect(gateway, { userId, ...proxied(address) });
  clients.push(client);
  return (await client.call('sync:join', { userId, protocol: 1 })).code;
}

/** False when the handshake is refused for the number of connections. */
async function isLetIn(gateway: number, address: string): Promise<boolean> {
  try {
    clients.push(await fleet.connect(gateway, proxied(address)));
    return true;
  } catch (error) {
    if (error instanceof HandshakeRefused && error.data.code === 'too_many_connections') return false;
    throw error;
  }
}

it('places that a killed gateway held, of a user and of an address, are free again without its help', async () => {
  const [gateway] = fleet.gateways;
  expect([await join(0, 'u', '10.0.0.1'), await join(0, 'u', '10.0.0.2')]).toEqual([undefined, undefined]);
  expect(await join(1, 'u', '10.0.0.3')).toBe('too_many_connections');
  for (let n = 0; n < 3; n++) expect(await isLetIn(0, '10.0.0.9')).toBe(true);
  expect(await isLetIn(1, '10.0.0.9')).toBe(false);
  await gateway!.kill();
  // Nobody can tell yet that it is dead.
  expect(await join(1, 'u', '10.0.0.3')).toBe('too_many_connections');
  expect(await isLetIn(1, '10.0.0.9')).toBe(false);
  const within = 30_000;
  await waitUntil(async () => (await join(1, 'u', '10.0.0.4')) === undefined, { within, what: 'the user is let in' });
  await waitUntil(() => isLetIn(1, '10.0.0.9'), { within, what: 'the address is let in' });
});
