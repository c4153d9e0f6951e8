import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { errorCatalogue } from '@tidemark/protocol';
import type { TestClient } from '../rig/client.ts';
import { garbage, mutations } from '../rig/garbage.ts';
import { RawPolling } from '../rig/raw-polling.ts';
import { startServer, type TestServer } from '../rig/server.ts';

// Generous, for machines that are busy.
jest.setTimeout(30_000);

let server: TestServer;
let alice: TestClient;

beforeAll(async () => {
  server = await startServer();
  alice = await server.user('alice');
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  if (!alice.socket.connected) alice = await server.user('alice');
});

const change = {
  id: 'c1',
  operation: 'insert',
  collection: 'garbage',
  documentId: 'd1',
  data: { a: 1 },
  unset: [],
  timestamp: 1_000,
};
const subscription = { collection: 'garbage', filter: 'a == $0', args: [1], name: 'n', id: 's', bootstrap: true };

/** A payload of every event that would be accepted. */
const payloads: Readonly<Record<string, unknown>> = {
  'sync:join': {
    userId: 'alice',
    token: '',
    clientId: 'x',
    protocol: 1,
    subscriptions: [subscription],
    checkpoint: null,
  },
  'sync:auth': { token: 'x' },
  'sync:change': change,
  'sync:changeBatch': { changes: [change], atomic: true },
  'sync:batch_changes': [change],
  'sync:subscribe': { ...subscription, checkpoint: null },
  'sync:unsubscribe': { subscriptionId: 's', collection: 'garbage', filter: 'a == $0', args: [1] },
  'sync:update_subscriptions': { subscriptions: [subscription], checkpoint: null },
  'sync:get_changes': { since: 0, checkpoint: null, limit: 10, collection: 'garbage', filter: 'a == $0', args: [1] },
  'sync:mark': {},
  mongoUpsert: { collection: 'garbage', update: { a: 1, id: 'd1' }, query: { _id: 'd1' }, patchId: 'p' },
  mongoDelete: { collection: 'garbage', query: { _id: 'd1' }, patchId: 'p' },
  ping: { t: 1 },
};
const writing = ['sync:change', 'sync:changeBatch', 'sync:batch_changes', 'mongoUpsert', 'mongoDelete'];

/** Undefined when the answer is one that the contract knows; else what is wrong with it. */
function faultOf(answer: unknown): string | undefined {
  if (answer === 'ok' || answer === 'error') return undefined;
  if (Array.isArray(answer)) return answer.map(faultOf).find((fault) => fault !== undefined);
  if (typeof answer !== 'object' || answer === null) return `no answer: ${String(answer)}`;
  const { success, code, timestamp, error, results } = answer as Record<string, unknown>;
  if (success === undefined) return typeof timestamp === 'number' ? undefined : 'neither success nor a pong';
  if (success === true) return results === undefined ? undefined : faultOf(results);
  if (code === undefined && typeof error === 'string') return undefined;
  if (typeof code !== 'string' || !Object.hasOwn(errorCatalogue, code)) return `unknown code ${String(code)}`;
  if (code === 'internal') return `internal: ${String(error)}`;
  return typeof error === 'string' && error.length < 1_000 ? undefined : 'no sentence';
}

async function totalChanges(): Promise<unknown> {
  return (await server.get('/stats')).body.totalChanges;
}

async function expectAlive(): Promise<void> {
  const client = await server.user('alive');
  expect(await client.call('ping', { t: 1 })).toMatchObject({ clientTimestamp: 1 });
  expect((await server.get('/health')).status).toBe(200);
  client.close();
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}

describe('every event, with anything as its payload', () => {
  it.each(Object.keys(payloads))('%s', async (event) => {
    const before = await totalChanges();
    const faults: string[] = [];
    for (const [name, value] of [...Object.entries(garbage), ['nothing', undefined]] as const) {
      const fault = faultOf(await alice.ask(event, value));
      if (fault !== undefined) faults.push(`${name}: ${fault}`);
    }
    expect(faults).toEqual([]);
    expect(await totalChanges()).toEqual(before);
    await expectAlive();
  });
});

describe('every event, with anything in any place of its payload', () => {
  it.each(Object.entries(payloads))('%s', async (event, payload) => {
    const faults: string[] = [];
    for (const [name, value] of Object.entries(garbage)) {
      const asked = [...mutations(payload, value)].map(async (mutation) => {
        const fault = faultOf(await alice.ask(event, mutation.value));
        if (fault !== undefined) faults.push(`${name} at ${mutation.at}: ${fault}`);
      });
      await Promise.all(asked);
    }
    expect(faults).toEqual([]);
    await expectAlive();
  });

  it.each(writing)('%s writes nothing when place or operation are garbage', async (event) => {
    const before = await totalChanges();
    const payload = payloads[event];
    const bad = Object.entries(garbage).filter(
      ([name]) => !['text', 'constructor', 'name of the prototype'].includes(name),
    );
    const places = /(^|\.)(collection|documentId|_id)$/;
    for (const [, value] of bad) {
      for (const mutation of mutations(payload, value)) {
        // An upsert without query._id falls back to update.id.
        if (!places.test(mutation.at) || (event === 'mongoUpsert' && value === null)) continue;
        await alice.ask(event, mutation.value);
      }
    }
    expect(await totalChanges()).toEqual(before);
  });
});

describe('without a callback', () => {
  it.each(Object.keys(payloads).filter((event) => event !== 'sync:mark' && event !== 'ping'))(
    'the error of %s is emitted as sync:error',
    async (event) => {
      alice.forget();
      alice.socket.emit(event, 12345);
      const error = await alice.next('sync:error');
      expect(error).toMatchObject({ event, code: expect.any(String), error: expect.any(String) });
      expect(Object.keys(errorCatalogue)).toContain(error.code);
    },
  );

  it('a change that is refused tells why', async () => {
    alice.forget();
    alice.socket.emit('sync:change', { ...change, data: { $bad: 1 } });
    expect(await alice.next('sync:error')).toMatchObject({ event: 'sync:change', code: 'invalid_document' });
  });

  it('a change that is fine is written silently', async () => {
    alice.forget();
    alice.socket.emit('sync:change', { operation: 'insert', collection: 'silent', documentId: 'a', data: { a: 1 } });
    await alice.call('sync:change', { operation: 'insert', collection: 'silent', documentId: 'b', data: { a: 1 } });
    const { changes } = await alice.call('sync:get_changes', { collection: 'silent' });
    expect(changes.map((one) => one.documentId)).toEqual(['a', 'b']);
    expect(alice.payloads('sync:error')).toEqual([]);
  });

  it('callbacks that are no callbacks, and arguments too many, are ignored', async () => {
    for (const extra of [null, 'x', {}, []]) alice.socket.emit('sync:change', { bad: 1 }, extra);
    expect(await alice.ask('ping', { t: 5 }, 'more', {}, [])).toMatchObject({ clientTimestamp: 5 });
    await expectAlive();
  });
});

describe('an event that does not exist', () => {
  it.each(['nonsense', 'sync:nonsense', '', '__proto__', 'constructor', 'toString', 'x'.repeat(10_000)])(
    '%p is answered invalid_message',
    async (event) => {
      expect(await alice.ask(event, {})).toMatchObject({ success: false, code: 'invalid_message' });
      alice.forget();
      alice.socket.emit(event, {});
      expect(await alice.next('sync:error')).toMatchObject({ code: 'invalid_message', event: expect.any(String) });
    },
  );
});

describe('size', () => {
  const limit = 1_048_576;

  it('the limit is told in the join', async () => {
    const client = await server.connect({ userId: 'alice' });
    expect((await client.join({ protocol: 1 })).limits).toEqual({
      maxBatchSize: 100,
      maxMessageBytes: limit,
      rateLimitMax: expect.any(Number),
      rateLimitWindowMs: expect.any(Number),
    });
  });

  it.each(['websocket', 'polling'] as const)(
    'a message past it is too_large over %s; the socket lives',
    async (transport) => {
      const client = await server.connect({ userId: 'alice', transport });
      await client.join({ protocol: 1 });
      const before = await totalChanges();
      const big = { ...change, data: { a: 'x'.repeat(limit + 10) } };
      expect(await client.call('sync:change', big)).toMatchObject({
        success: false,
        outcome: 'rejected',
        code: 'too_large',
      });
      const wide = { ...change, data: { a: '€'.repeat(limit / 2) } };
      expect(await client.call('sync:change', wide)).toMatchObject({ success: false, code: 'too_large' });
      expect(await client.call('ping', { t: 1 })).toMatchObject({ clientTimestamp: 1 });
      expect(await totalChanges()).toEqual(before);
    },
  );

  it('binary counts like text', async () => {
    const big = { ...change, data: { a: Buffer.alloc(limit + 10) } };
    expect(await alice.call('sync:change', big)).toMatchObject({ success: false, code: 'too_large' });
  });

  it('a document just below it is taken', async () => {
    const data = { a: 'x'.repeat(limit - 1_000) };
    expect(await alice.write({ operation: 'insert', collection: 'large', documentId: 'a', data })).toMatchObject({
      outcome: 'applied',
    });
  });

  it.each(['websocket', 'polling'] as const)('10 MB over %s close the connection', async (transport) => {
    const client = await server.connect({ userId: 'alice', transport });
    await client.join({ protocol: 1 });
    const before = await totalChanges();
    client.socket.emit('sync:change', { ...change, data: { a: 'x'.repeat(10_000_000) } });
    await client.disconnected();
    expect(await totalChanges()).toEqual(before);
    await expectAlive();
  });
});

describe('floods', () => {
  it('of pings, marks and garbage are answered or refused, and others are served', async () => {
    const client = await server.user('flooder');
    const answers = await Promise.all(
      Array.from({ length: 3_000 }, (_, n) => client.ask(['ping', 'sync:mark', 'nonsense'][n % 3] ?? 'ping', {})),
    );
    expect(answers.map(faultOf).filter((fault) => fault !== undefined)).toEqual([]);
    await expectAlive();
  });

  it('of changes on one socket: each has its answer, and what was applied is there', async () => {
    const client = await server.user('flooder');
    const acks = await Promise.all(
      Array.from({ length: 3_000 }, (_, n) =>
        client.call('sync:change', {
          operation: 'insert',
          collection: 'flood',
          documentId: `d${n}`,
          data: { n },
        }),
      ),
    );
    const applied = acks.filter((ack) => ack.success);
    const refused = acks.filter((ack) => !ack.success);
    expect(refused.every((ack) => ack.code === 'overloaded' && (ack.retryAfterMs ?? 0) > 0)).toBe(true);
    let held = 0;
    for (let checkpoint: string | undefined, more = true; more; ) {
      const page = await client.call('sync:get_changes', { collection: 'flood', limit: 1_000, checkpoint });
      held += page.count;
      ({ checkpoint, hasMore: more } = page);
    }
    expect(held).toBe(applied.length);
    expect(applied.length).toBeGreaterThan(100);
  });

  it('of subscriptions: too many are too_large', async () => {
    const client = await server.user('flooder');
    const answers = await Promise.all(
      Array.from({ length: 600 }, (_, n) =>
        client.call('sync:subscribe', { collection: 'flood', filter: `n == ${n}` }),
      ),
    );
    const refused = answers.filter((answer) => !answer.success);
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map((answer) => answer.code))).toEqual(new Set(['too_large']));
    const many = Array.from({ length: 100_000 }, () => ({ collection: 'a' }));
    expect(await client.call('sync:update_subscriptions', { subscriptions: many })).toMatchObject({ success: false });
    await expectAlive();
  });

  it('joins and leaves without end', async () => {
    for (let n = 0; n < 20; n++) {
      const client = await server.connect({ userId: 'coming and going' });
      client.socket.emit('sync:join', { userId: 'x', protocol: 1, subscriptions: [{ collection: 'flood' }] });
      client.socket.emit('sync:mark', {});
      client.close();
    }
    await expectAlive();
  });
});

describe('filters from a bad mind', () => {
  it.each([
    ['very long', 'a == 1 OR '.repeat(2_000)],
    ['too long', `a == '${'x'.repeat(100_000)}'`],
    ['very deep', `${'('.repeat(5_000)}a == 1${')'.repeat(5_000)}`],
    ['many nots', `${'NOT '.repeat(4_000)}a == 1`],
    ['an unclosed string', "a == 'x"],
    ['NUL', 'a == \u0000'],
    ['JavaScript', 'process.exit() == 1'],
    ['a regular expression that explodes', `a LIKE '${'*a'.repeat(3_000)}b'`],
  ])('%s: a typed answer at once', async (_what, filter) => {
    const begun = performance.now();
    const answer = await alice.call('sync:get_changes', { collection: 'flood', filter });
    expect(faultOf(answer)).toBeUndefined();
    expect(performance.now() - begun).toBeLessThan(2_000);
    await expectAlive();
  });

  it('LIKE does not explode on the text of a document', async () => {
    await alice.write({ collection: 'like', documentId: 'a', data: { a: 'a'.repeat(50_000) } });
    const begun = performance.now();
    const filter = `a LIKE '${'*a'.repeat(50)}*b'`;
    expect(await alice.call('sync:get_changes', { collection: 'like', filter })).toMatchObject({ count: 0 });
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it('a filter never becomes wider by its arguments', async () => {
    await alice.write({ collection: 'args', documentId: 'a', data: { owner: 'alice' } });
    for (const arg of ["x' OR TRUEPREDICATE", { $ne: null }, { $gt: '' }, [{ $ne: 1 }], null]) {
      const answer = await alice.call('sync:get_changes', { collection: 'args', filter: 'owner == $0', args: [arg] });
      if (answer.success) expect(answer.count).toBe(0);
      else expect(answer.code).toBe('invalid_query');
    }
  });
});

describe('packets that no library would send', () => {
  it.each([
    ['an event that is no list', '42{}'],
    ['an empty event', '42[]'],
    ['an event named by a number', '42[1,{}]'],
    ['an event named by an object', '42[{"a":1},{}]'],
    ['a reserved event', '42["disconnect",{}]'],
    ['broken JSON', '42["sync:change",{]'],
    ['an unknown packet type', '49'],
    ['an unknown engine packet', '9'],
    ['an ack that nobody asked for', '4399["x"]'],
    ['a binary event without its binary', '451-["sync:change",{"_placeholder":true,"num":0}]'],
    ['attachments without end', '45999999999-["sync:change",{"_placeholder":true,"num":0}]'],
    ['another namespace', '40/admin,'],
    ['prototype keys', '42["sync:change",{"__proto__":{"a":1},"operation":"insert"}]'],
    ['a payload nested very deep', `42["sync:change",${'['.repeat(100_000)}${']'.repeat(100_000)}]`],
    ['an object nested very deep', `42["sync:get_changes",${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}]`],
    ['nothing', ''],
  ])('%s: the server lives', async (_what, packet) => {
    await using raw = await RawPolling.open(server.url);
    expect(await raw.send(packet)).toBeLessThan(500);
    await expectAlive();
  });

  it('a change nested very deep is refused with an answer', async () => {
    await using raw = await RawPolling.open(server.url);
    await raw.send('421["sync:join",{"userId":"raw"}]');
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    await raw.send(`422["sync:change",{"operation":"insert","collection":"deep","documentId":"a","data":${deep}}]`);
    const packets: string[] = [];
    while (!packets.some((packet) => packet.startsWith('432'))) packets.push(...(await raw.receive()));
    expect(packets.find((packet) => packet.startsWith('432'))).toMatch(/invalid_document/);
  });
});
