import { describe, expect, it, jest } from '@jest/globals';
import type { TestClient } from '../rig/client.ts';
import { Random } from '../rig/random.ts';
import {
  CollectionModel,
  filters,
  type ModelChange,
  type Person,
  type RuleSet,
  randomRules,
  rulesFileOf,
} from '../rig/rules-model.ts';
import { startServer, type TestServer } from '../rig/server.ts';
import { mintToken, secret } from '../rig/tokens.ts';
import { type Fields, View } from '../rig/view.ts';

jest.setTimeout(60_000);

const people: readonly Person[] = [
  { sub: 'ann', team: 'red' },
  { sub: 'ben', team: 'blue' },
  { sub: 'cat' },
  { sub: 'root' },
];
const names = ['notes', 'tasks'];
const steps = 120;

/** Someone who listens at one door, and what must be found behind it. */
interface Listener {
  readonly person: Person;
  readonly collection: string | undefined;
  readonly filter: (typeof filters)[number];
  client: TestClient;
}

/** A server with random rules, people at every door, and the model that says who may see what. */
class World {
  readonly random: Random;
  readonly rules: Readonly<Record<string, RuleSet>>;
  readonly models: Readonly<Record<string, CollectionModel>>;
  readonly listeners: Listener[] = [];
  server!: TestServer;
  /** Everybody's own socket for writing: an old client, which gets nothing back. */
  private readonly writers = new Map<string, TestClient>();
  /** Which version carried a mark, and in which collection. */
  private readonly versions = new Map<string, { readonly collection: string; readonly document: Fields; by: string }>();
  private readonly heard = new Map<string, string[]>();
  private readonly pages = new Map<string, { readonly view: View; checkpoint: string | undefined }>();
  private marks = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.rules = Object.fromEntries(names.map((name) => [name, randomRules(this.random)]));
    this.models = Object.fromEntries(names.map((name) => [name, new CollectionModel(this.rules[name]!)]));
  }

  async connect(person: Person, join: Fields, view = new View()): Promise<TestClient> {
    const client = await this.server.connect({ token: mintToken({ ...person }), view });
    await client.join(join);
    return client;
  }

  async begin(): Promise<void> {
    for (const person of people) {
      const writer = await this.connect(person, { subscriptions: [] });
      this.writers.set(person.sub, writer);
      const client = await this.connect(person, {});
      client.view.isPartial = false;
      this.listeners.push({ person, collection: undefined, filter: filters[0]!, client });
    }
  }

  /** A subscriber from now on. */
  async listen(): Promise<void> {
    const person = this.random.pick(people);
    const collection = this.random.pick(names);
    const filter = this.random.pick(filters);
    const client = await this.connect(person, { protocol: 1 });
    const listener = { person, collection, filter, client };
    await client.subscribe(collection, this.subscriptionOf(listener));
    this.listeners.push(listener);
  }

  /** Cut off and back, from its checkpoint. */
  async reconnect(): Promise<void> {
    const subscribed = this.listeners.filter(({ collection }) => collection !== undefined);
    if (subscribed.length === 0) return;
    const listener = this.random.pick(subscribed);
    this.note(listener.person, listener.client);
    listener.client.close();
    for (let n = 0; n < 3; n++) await this.write();
    const { view } = listener.client;
    const set = { subscriptions: [this.subscriptionOf(listener)], checkpoint: view.checkpoint };
    listener.client = await this.connect(listener.person, { protocol: 1, ...set }, view);
  }

  /** Somebody writes something, through a socket or REST; the answer must be the model's. */
  async write(): Promise<void> {
    const person = this.random.pick(people);
    const collection = this.random.pick(names);
    const change = this.change(collection);
    const expected = this.models[collection]!.decide(person, change);
    const after = this.models[collection]!.documents.get(change.documentId);
    if (expected === 'applied' && after !== undefined && typeof change.data.mark === 'string') {
      this.versions.set(change.data.mark, { collection, document: after, by: person.sub });
    }
    const ack = await this.send(person, {
      collection,
      operation: change.operation,
      documentId: change.documentId,
      data: change.data,
      unset: change.unset,
      ...(change.isOld && { timestamp: 1_000 - this.marks }),
    });
    expect([change, ack.outcome === 'rejected' ? ack.code : ack.outcome]).toEqual([change, expected]);
    if (expected === 'superseded') this.checkCurrent(person, collection, ack);
  }

  /** The next page of `sync:get_changes` for somebody. */
  async turnPage(): Promise<void> {
    const person = this.random.pick(people);
    const client = this.writers.get(person.sub)!;
    const state = this.pages.get(person.sub) ?? { view: new View(), checkpoint: undefined };
    this.pages.set(person.sub, state);
    const { checkpoint } = state;
    const page = await client.call('sync:get_changes', { limit: 5, checkpoint });
    for (const change of page.changes) state.view.change(change);
    state.checkpoint = page.checkpoint;
  }

  async settle(): Promise<void> {
    for (const { client } of this.listeners) await client.mark();
    for (const person of people) await this.readToEnd(person);
  }

  check(): void {
    for (const listener of this.listeners) {
      for (const name of names.filter((one) => listener.collection === undefined || one === listener.collection)) {
        const held = listener.client.view.documents(name).map(userFields);
        expect([listener.person, name, held]).toEqual([listener.person, name, this.visible(listener, name)]);
      }
      this.note(listener.person, listener.client);
    }
    for (const person of people) {
      for (const name of names) {
        const held = this.pages.get(person.sub)?.view.documents(name).map(userFields);
        const all = { person, filter: filters[0]! };
        expect(['pages', person, name, held]).toEqual(['pages', person, name, this.visible(all, name)]);
      }
      this.note(person, this.writers.get(person.sub)!);
    }
    this.checkSecrets();
  }

  private async readToEnd(person: Person): Promise<void> {
    const state = this.pages.get(person.sub) ?? { view: new View(), checkpoint: undefined };
    this.pages.set(person.sub, state);
    for (let more = true; more; ) {
      const { checkpoint } = state;
      const page = await this.writers.get(person.sub)!.call('sync:get_changes', { limit: 50, checkpoint });
      for (const change of page.changes) state.view.change(change);
      state.checkpoint = page.checkpoint;
      more = page.hasMore;
    }
    expect(state.view.faults).toEqual([]);
  }

  private visible({ person, filter }: Pick<Listener, 'person' | 'filter'>, name: string): Fields[] {
    return [...this.models[name]!.documents]
      .filter(([, document]) => this.rules[name]!.read.holds(person, document) && filter.holds(person, document))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([_id, document]) => ({ _id, ...document }));
  }

  private subscriptionOf({ collection, filter }: Pick<Listener, 'collection' | 'filter'>): Fields {
    return { collection, filter: filter.text, ...(filter.args && { args: filter.args }) };
  }

  private change(collection: string): ModelChange {
    const { random } = this;
    const documentId = `d${random.below(12)}`;
    const exists = this.models[collection]!.documents.has(documentId);
    const operation = random.pick(
      exists ? (['insert', 'update', 'update', 'delete'] as const) : (['insert', 'update'] as const),
    );
    const isOld = random.chance(0.1);
    if (operation === 'delete') return { operation, documentId, data: {}, unset: [], isOld };
    const whole = {
      keeper: 'root',
      mark: `mark-${++this.marks}-end`,
      owner: random.pick(people).sub,
      team: random.pick(['red', 'blue', 'green']),
      members: people.map(({ sub }) => sub).filter(() => random.chance(0.3)),
      public: random.chance(0.3),
      level: random.below(5),
    };
    if (operation === 'insert') return { operation, documentId, data: whole, unset: [], isOld };
    const optional = ['owner', 'team', 'members', 'public', 'level'] as const;
    const given = optional.filter(() => random.chance(0.35));
    const data = Object.fromEntries(
      ['keeper', 'mark', ...given].map((name) => [name, whole[name as keyof typeof whole]]),
    );
    const unset = optional.filter((name) => !given.includes(name) && random.chance(0.1));
    return { operation, documentId, data, unset, isOld };
  }

  private async send(person: Person, change: Fields): Promise<Fields> {
    if (this.random.chance(0.7)) return { ...(await this.writers.get(person.sub)!.call('sync:change', change)) };
    const token = mintToken({ ...person });
    const answer = await this.server.post('/api/sync/change', change, { authorization: `Bearer ${token}` });
    this.hear(person.sub, answer.text);
    return answer.body;
  }

  /** Whoever lost is shown what is stored, if they may read it. */
  private checkCurrent(person: Person, collection: string, ack: Fields): void {
    const stored = this.models[collection]!.documents.get(String((ack.current as Fields | null)?._id));
    if (ack.current === null || ack.current === undefined) return;
    expect(stored).toBeDefined();
    expect(this.rules[collection]!.read.holds(person, stored!)).toBe(true);
  }

  private note(person: Person, client: TestClient): void {
    this.hear(person.sub, JSON.stringify(client.received));
  }

  private hear(sub: string, text: string): void {
    this.heard.set(sub, [...(this.heard.get(sub) ?? []), text]);
  }

  /** Every mark that somebody has received stood in a version that they might read. */
  private checkSecrets(): void {
    for (const person of people) {
      const text = (this.heard.get(person.sub) ?? []).join('\n');
      for (const [mark] of text.matchAll(/mark-\d+-end/g)) {
        const version = this.versions.get(mark);
        const mayRead = version !== undefined && this.rules[version.collection]!.read.holds(person, version.document);
        expect([person.sub, mark, version?.document, mayRead]).toEqual([person.sub, mark, version?.document, true]);
      }
    }
  }
}

function userFields(document: Fields): Fields {
  const { sync_updated_at, _updated_by, sync_version, ...fields } = document;
  expect([typeof sync_updated_at, typeof _updated_by, typeof sync_version]).toEqual(['number', 'string', 'number']);
  return fields;
}

describe('random rules, documents, people and changes', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'everyone holds exactly what they may, and never hears of the rest (seed %i)',
    async (seed) => {
      const world = new World(seed);
      const env = {
        NODE_ENV: 'production',
        AUTH_JWT_SECRET: secret,
        RATE_LIMIT_DISABLED: 'true',
        MAX_CONNECTIONS_PER_USER: '100',
        MAX_CONNECTIONS_PER_IP: '100',
        BOOTSTRAP_PAGE: '3',
        LANES: String(1 + (seed % 3)),
      };
      await using server = await startServer({ env, rules: rulesFileOf(world.rules) });
      world.server = server;
      await world.begin();
      for (let step = 0; step < steps; step++) {
        if (step % 12 === 0) await world.listen();
        if (step % 10 === 5) await world.reconnect();
        if (step % 4 === 0) await world.turnPage();
        await world.write();
      }
      await world.settle();
      world.check();
    },
  );
});
