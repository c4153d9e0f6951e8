import { afterEach, describe, expect, it } from '@jest/globals';
import { createRules, parseRules } from '@tidemark/access';
import { StoreError } from '@tidemark/storage';
import { type FilterSpec, GatewayWorld, type WorldOptions } from '../testing/gateway-world.ts';
import type { Write } from '../testing/memory-history.ts';
import { ModelClient } from '../testing/model-client.ts';

const rules = createRules(
  parseRules('collections: { tasks: { read: "hidden != true" }, "*": { read: true } }', 'rules.yaml'),
  { production: true },
);

const filters: readonly FilterSpec[] = [
  { collection: 'tasks' },
  { collection: 'tasks', filter: "team == 'a'" },
  { collection: 'tasks', filter: "team IN {'a', 'b'}" },
  { collection: 'tasks', filter: 'team == $0', args: ['c'] },
  { collection: 'tasks', filter: 'n > 3 AND done == false' },
  { collection: 'tasks', filter: "n < 2 OR team == 'b'" },
  { collection: 'tasks', filter: 'done == null' },
  { collection: 'notes' },
  { collection: 'notes', filter: "team != 'a'" },
];

interface Run extends WorldOptions {
  readonly steps?: number;
  /** Chances of a step. */
  readonly trims?: number;
  readonly faults?: number;
}

/** Some clients, a writer and a network, all doing what comes to their mind. */
class Drama {
  readonly world: GatewayWorld;
  readonly clients: ModelClient[];
  private readonly run: Run;

  constructor(run: Run) {
    this.run = run;
    this.world = new GatewayWorld({ rules, ...run });
    this.clients = Array.from({ length: 4 }, () => new ModelClient(this.world));
  }

  async play(): Promise<void> {
    const { random } = this.world;
    for (let index = 0; index < 20; index++) this.world.commit(this.write());
    await this.world.start();
    for (const client of this.clients) client.join();
    for (let step = 0; step < (this.run.steps ?? 250); step++) {
      this.act();
      if (random.chance(0.6)) await this.world.turns(random.int(3));
    }
    await this.settle();
  }

  /** Everyone is connected, nothing is written, and all that is under way arrives. */
  async settle(clients = this.clients): Promise<void> {
    const { world } = this;
    const deadline = Date.now() + 4_000;
    for (let quiet = 0; quiet < 12 && Date.now() < deadline; ) {
      world.flush();
      for (const client of clients) {
        client.join();
        client.read(1_000);
      }
      await world.turns(5);
      const isDone = clients.every((client) => client.isIdle && client.isComplete && this.isRight(client));
      quiet = isDone ? quiet + 1 : 0;
      // A feed that could not read the log tries again after a time of its own.
      if (!isDone && this.run.faults !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  isRight(client: ModelClient): boolean {
    return client.differenceAt(this.world.history.position()) === undefined;
  }

  private act(): void {
    const { world } = this;
    const { random } = world;
    const client = random.pick(this.clients);
    const dice = random.int(100);
    if (dice < 35) for (let index = random.int(4); index >= 0; index--) world.commit(this.write());
    else if (dice < 55) for (let index = random.int(6); index >= 0; index--) world.network.step();
    else if (dice < 75) client.read(random.int(8));
    else if (dice < 78) world.network.beat(world.history.position());
    else if (dice < 82) world.read.parts().fanOut().announcePosition();
    else if (dice < 84) client.cut();
    else if (!client.isConnected) client.join();
    else if (dice < 87) client.mark();
    else this.changeSet(client);
    if (random.chance(this.run.trims ?? 0)) this.trim();
    if (random.chance(this.run.faults ?? 0)) world.history.faults.push(new StoreError('unavailable', 'by plan'));
  }

  private changeSet(client: ModelClient): void {
    const { random } = this.world;
    const held = [...client.state.subscriptions.keys()];
    const id = `s${random.int(6)}`;
    const dice = random.int(4);
    if (dice < 2) client.subscribe(id, random.pick(filters));
    else if (dice === 2 && held.length > 0) client.unsubscribe(random.pick(held));
    else
      client.update(random.some(filters, 0.3).map((spec, place) => ({ ...spec, id: `s${(place * 5) % 6}-${place}` })));
  }

  private write(): Write {
    const { random } = this.world;
    const place = { id: `d${random.int(15)}`, collection: random.pick(['tasks', 'tasks', 'notes']) };
    const data = {
      ...(random.chance(0.6) && { team: random.pick(['a', 'b', 'c']) }),
      ...(random.chance(0.4) && { n: random.int(6) }),
      ...(random.chance(0.4) && { done: random.pick([true, false, null]) }),
      ...(random.chance(0.2) && { hidden: random.chance(0.5) }),
    };
    const dice = random.int(10);
    if (dice < 2) return { ...place, operation: 'insert', data };
    if (dice < 4) return { ...place, operation: 'delete' };
    const unset = random.some(['done', 'hidden', 'n'], 0.15).filter((name) => !(name in data));
    return { ...place, operation: 'update', data, unset };
  }

  private trim(): void {
    const { random, history } = this.world;
    history.position().seqs.forEach((head, lane) => {
      history.trim(lane, head - random.int(10));
    });
  }
}

const network = { drop: 0.1, twice: 0.15, swap: 0.2 };
const kinds: Readonly<Record<string, Omit<Run, 'seed'>>> = {
  'one lane, a good network': { lanes: 1, slowness: 2 },
  'three lanes, a good network, no memory of recent entries': { lanes: 3, slowness: 3, settings: { recentBytes: 0 } },
  'three lanes, a bad network': { lanes: 3, slowness: 3, habits: network },
  'a store that answers at once': { lanes: 2, slowness: 0, habits: network },
  'clients that are always slow': { lanes: 2, slowness: 2, habits: network, settings: { slowClientBytes: 50 } },
  'a log that is trimmed': { lanes: 2, slowness: 3, habits: { ...network, drop: 0.3 }, trims: 0.02 },
  'a store that fails now and then': { lanes: 2, slowness: 2, habits: network, faults: 0.02 },
};

const seeds = Number(process.env.MODEL_SEEDS ?? 8);
const firstSeed = Number(process.env.MODEL_FIRST_SEED ?? 1);

describe.each(Object.entries(kinds))('streams over %s', (_, kind) => {
  let drama: Drama | undefined;

  afterEach(async () => {
    await drama?.world.stop();
  });

  it.each(Array.from({ length: seeds }, (_, index) => firstSeed + index))(
    'hold exactly what they should, and go on from every token (seed %d)',
    async (seed) => {
      drama = new Drama({ ...kind, seed });
      await drama.play();
      for (const client of drama.clients) expectRight(drama, client);
      await expectEveryTokenToServe(drama);
    },
  );
});

function expectRight(drama: Drama, client: ModelClient): void {
  const difference = client.differenceAt(drama.world.history.position());
  const { complaints, isComplete } = client;
  const trace = complaints.length > 0 || difference !== undefined ? client.log : [];
  expect({ complaints, difference, isComplete, trace }).toEqual({
    complaints: [],
    difference: undefined,
    isComplete: true,
    trace: [],
  });
}

/** Clients that come back with what they had at some token; and some that kept an older token than their documents. */
async function expectEveryTokenToServe(drama: Drama): Promise<void> {
  const { world } = drama;
  const count = drama.clients.flatMap((client) => client.saved).length;
  expect(count).toBeGreaterThan(10);
  const returning = drama.clients.flatMap((client) =>
    world.random.some(client.saved, Math.min(1, 40 / count)).map(({ state }) => new ModelClient(world, state)),
  );
  const ahead = drama.clients.flatMap((client) =>
    world.random.some(client.saved, Math.min(1, 20 / count)).map(({ state: { token }, era }) => {
      const { documents, subscriptions } = client.saved.findLast((other) => other.era === era)!.state;
      return new ModelClient(world, { documents, subscriptions, token }, { strict: false });
    }),
  );
  await drama.settle([...returning, ...ahead]);
  for (const client of [...returning, ...ahead]) expectRight(drama, client);
}
