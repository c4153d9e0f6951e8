import { describe, expect, it, jest } from '@jest/globals';
import { type BusFate, createFaultyBus } from '@tidemark/transport/faults';
import type { TestClient } from '../rig/client.ts';
import { Member, type Wish } from '../rig/member.ts';
import { Random } from '../rig/random.ts';
import { isInProcess, startServer, type TestServer } from '../rig/server.ts';
import type { Fields } from '../rig/view.ts';
import { waitUntil } from '../rig/wait-until.ts';

jest.setTimeout(60_000);

const collections = ['tasks', 'notes'];
const filters: readonly Pick<Wish, 'filter' | 'holds'>[] = [
  { filter: '', holds: () => true },
  { filter: 'n >= 5', holds: ({ n }) => typeof n === 'number' && n >= 5 },
  { filter: "color == 'red'", holds: ({ color }) => color === 'red' },
  { filter: "color == 'blue' OR n == 1", holds: ({ color, n }) => color === 'blue' || n === 1 },
  { filter: 'color == null', holds: ({ color }) => color === undefined || color === null },
];

/** Random members of one server, doing what members do. */
class Crowd {
  readonly random: Random;
  readonly server: TestServer;
  readonly members: Member[] = [];
  /** Id and operation of what was applied. */
  readonly applied = new Map<string, unknown>();
  private wishes = 0;
  private changes = 0;

  constructor(server: TestServer, random: Random) {
    this.server = server;
    this.random = random;
  }

  async grow(): Promise<Member> {
    const userId = `user${this.members.length % 3}`;
    const member = new Member(userId, await this.server.user(userId));
    this.members.push(member);
    return member;
  }

  wish(): Wish {
    return { id: `w${++this.wishes}`, collection: this.random.pick(collections), ...this.random.pick(filters) };
  }

  async step(): Promise<void> {
    const { random } = this;
    const member = random.pick(this.members);
    const dice = random.next();
    if (dice < 0.7) await this.write(member.client);
    else if (dice < 0.78) await member.subscribe(this.wish());
    else if (dice < 0.84) await this.change(member);
    else if (dice < 0.96) await this.reconnect(member);
    else if (this.members.length < 8) await this.grow();
  }

  async write(client: TestClient): Promise<void> {
    const { random } = this;
    const size = 1 + random.below(4);
    const changes = Array.from({ length: size }, () => ({
      id: `c${++this.changes}`,
      operation: random.pick(['insert', 'update', 'update', 'update', 'delete']),
      collection: random.pick(collections),
      documentId: `d${random.below(25)}`,
      data: { n: random.below(10), ...(random.chance(0.7) && { color: random.pick(['red', 'blue', 'green']) }) },
    }));
    await this.send(client, changes);
  }

  /** As an outbox does: what was not decided is sent again with the same ids. */
  async send(client: TestClient, changes: readonly Fields[]): Promise<void> {
    const { results } = await client.call('sync:changeBatch', { changes });
    const open = changes.filter((_, index) => results[index]?.code === 'unavailable');
    for (const [index, ack] of results.entries()) {
      if (ack.success) this.applied.set(ack.changeId, changes[index]?.operation);
    }
    if (open.length > 0) await this.send(client, open);
  }

  private async change(member: Member): Promise<void> {
    const { random } = this;
    const kept = member.wishes.filter(() => random.chance(0.6));
    if (random.chance(0.5)) await member.replace([...kept, this.wish()]);
    else if (member.wishes.length > 0) await member.unsubscribe(random.pick(member.wishes));
  }

  private async reconnect(member: Member): Promise<void> {
    member.client.close();
    const away = this.random.below(4);
    const others = this.members.filter((one) => one !== member);
    for (let n = 0; n < away && others.length > 0; n++) await this.write(this.random.pick(others).client);
    await member.resume(await this.server.connect({ userId: member.userId, view: member.view }));
  }
}

async function expectConverged(crowd: Crowd): Promise<void> {
  const witness = await crowd.server.user('witness');
  for (const collection of collections) await witness.subscribe(collection);
  await witness.mark();
  for (const member of crowd.members) {
    await member.client.mark();
    for (const collection of collections) {
      const expected = witness.view.documents(collection).filter((document) => member.wants(collection, document));
      expect([member.wishes, member.view.documents(collection)]).toEqual([member.wishes, expected]);
    }
  }
}

/** What becomes of news between writer and gateway. */
function fate(random: Random): BusFate {
  const dice = random.next();
  if (dice < 0.2) return 'drop';
  if (dice < 0.4) return 'twice';
  return dice < 0.6 ? { delayMs: random.below(60) } : 'deliver';
}

describe('whatever happens on the way, everyone converges to their view', () => {
  it.each([11, 12, 13, 14])('random writes, subscriptions and disconnects (seed %i)', async (seed) => {
    await using server = await startServer({ env: { BOOTSTRAP_PAGE: '4', LANES: String(1 + (seed % 3)) } });
    const crowd = new Crowd(server, new Random(seed));
    for (let n = 0; n < 4; n++) await (await crowd.grow()).subscribe(crowd.wish());
    for (let step = 0; step < 120; step++) await crowd.step();
    await expectConverged(crowd);
  });

  const faulty = isInProcess ? it.each([21, 22, 23, 24]) : it.skip.each([0]);
  faulty('the same while news is lost, doubled and late (seed %i)', async (seed) => {
    const random = new Random(seed);
    let isFaulty = true;
    const feed = (): BusFate => (isFaulty ? fate(random) : 'deliver');
    const reply = (): BusFate =>
      isFaulty && random.chance(0.05) ? 'drop' : isFaulty && random.chance(0.1) ? 'twice' : 'deliver';
    await using server = await startServer({
      env: { BOOTSTRAP_PAGE: '4', HEARTBEAT_MS: '50', JOB_TIMEOUT_MS: '300', LANES: String(1 + (seed % 3)) },
      wrap: { bus: (bus) => createFaultyBus(bus, { feed, reply }) },
    });
    const crowd = new Crowd(server, new Random(seed + 1_000));
    const witness = await server.user('first');
    for (const collection of collections) await witness.subscribe(collection);
    for (let n = 0; n < 4; n++) await (await crowd.grow()).subscribe(crowd.wish());
    for (let step = 0; step < 100; step++) await crowd.step();
    isFaulty = false;
    await expectConverged(crowd);
    await witness.mark();
    const heard = new Set(witness.deliveries().map((change) => change.id));
    // Only the delete of what does not exist is applied and concerns nobody.
    const unheard = [...crowd.applied].filter(([id]) => !heard.has(id));
    expect(unheard.filter(([, operation]) => operation !== 'delete')).toEqual([]);
    for (const collection of collections) {
      const fresh = await server.user('fresh');
      await fresh.subscribe(collection);
      expect(witness.view.documents(collection)).toEqual(fresh.view.documents(collection));
    }
  });
});

describe('a client that does not read', () => {
  it('costs bounded memory, and has everything once it reads again', async () => {
    await using server = await startServer({ env: { SLOW_CLIENT_BYTES: '100000' } });
    // At the first gateway, whose metrics are looked at.
    const [slow, writer] = [await server.user('slow'), await server.user('writer')];
    await slow.subscribe('tasks');
    const { engine } = slow.socket.io;
    const { ws } = engine.transport as unknown as { ws: { _socket: { pause(): void; resume(): void } } };
    ws._socket.pause();
    const fill = 'x'.repeat(100_000);
    const write = (n: number) =>
      writer.write({ operation: 'update', collection: 'tasks', documentId: `d${n % 20}`, data: { n, fill } });
    let written = 0;
    await waitUntil(
      async () => {
        for (let n = 0; n < 10; n++) await write(written++);
        return /catch_ups_total\{[^}]*"slow"[^}]*\} [1-9]/.test((await server.get('/metrics')).text);
      },
      { within: 30_000, what: 'the client counts as slow' },
    );
    ws._socket.resume();
    await write(written++);
    await slow.mark();
    const other = await server.user('other');
    await other.subscribe('tasks');
    expect(slow.view.documents('tasks')).toEqual(other.view.documents('tasks'));
    expect(slow.payloads('sync:reset')).toEqual([]);
  });
});
