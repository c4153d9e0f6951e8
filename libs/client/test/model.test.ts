import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from './manual-clock.ts';
import { collection, ModelUser, type World } from './model-user.ts';
import { settle } from './settle.ts';
import { SimulatedServer } from './simulated-server.ts';

const filters = ['', 'kind == 1', 'kind == 2', 'kind IN {1, 3}'];
const user = fc.nat({ max: 1 });
const documentId = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
const kind = fc.integer({ min: 1, max: 3 });

type Command =
  | {
      type: 'write';
      user: number;
      operation: 'insert' | 'update' | 'delete';
      documentId: string;
      kind: number;
      forbidden: boolean;
    }
  | { type: 'serverWrite'; operation: 'insert' | 'update' | 'delete'; documentId: string; kind: number }
  | { type: 'subscribe' | 'unsubscribe'; user: number; filter: number }
  | { type: 'up' | 'down' | 'stream'; user: number; count: number }
  | { type: 'flow' | 'cut' | 'crash' | 'pause' | 'resume' | 'reset'; user: number }
  | { type: 'jump'; user: number; ms: number }
  | { type: 'advance'; ms: number }
  | { type: 'trim' | 'newHistory' }
  | { type: 'faults'; count: number };

const operation = fc.constantFrom('insert', 'update', 'update', 'delete');
const record = <T extends string>(...types: T[]) => fc.constantFrom(...types);
const command = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      type: record('write'),
      user,
      operation,
      documentId,
      kind,
      forbidden: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: record('serverWrite'), operation, documentId, kind }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: record('subscribe', 'unsubscribe'),
      user,
      filter: fc.nat({ max: filters.length - 1 }),
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({ type: record('up', 'down', 'stream'), user, count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: record('flow'), user }) },
  { weight: 4, arbitrary: fc.record({ type: record('cut', 'crash', 'pause', 'resume', 'reset'), user }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: record('jump'), user, ms: fc.constantFrom(-86_400_000, -5_000, 30_000, 3_600_000) }),
  },
  { weight: 3, arbitrary: fc.record({ type: record('advance'), ms: fc.constantFrom(10, 150, 1_000, 20_000, 40_000) }) },
  { weight: 1, arbitrary: fc.record({ type: record('trim', 'newHistory') }) },
  { weight: 1, arbitrary: fc.record({ type: record('faults'), count: fc.integer({ min: 1, max: 3 }) }) },
) as fc.Arbitrary<Command>;

class Run {
  readonly clock = new ManualClock();
  readonly server = new SimulatedServer(() => this.clock.now());
  readonly users: readonly ModelUser[];
  #writes = 0;

  constructor(random: () => number) {
    const world: World = { server: this.server, clock: this.clock, random };
    this.users = [new ModelUser('ann', world), new ModelUser('ben', world)];
  }

  async start(seed: number): Promise<void> {
    await this.users[0]?.subscribe(filters[seed % filters.length] as string);
    await this.users[1]?.subscribe(filters[(seed >> 4) % filters.length] as string);
  }

  async perform(step: Command): Promise<void> {
    await this.#do(step);
    await settle();
    for (const one of this.users) one.checkVanished();
  }

  /** Everything is repaired, and time passes until nothing moves any more. */
  async finish(): Promise<void> {
    this.server.faults = 0;
    for (const one of this.users) {
      one.client.resume();
    }
    for (let round = 0; round < 30; round++) {
      for (const one of this.users) {
        do await settle();
        while (one.network.flow());
        one.checkVanished();
      }
      this.clock.advance(10_000);
    }
  }

  #user(step: { user: number }): ModelUser {
    return this.users[step.user] as ModelUser;
  }

  async #do(step: Command): Promise<void> {
    switch (step.type) {
      case 'write':
        return this.#write(step);
      case 'serverWrite':
        return this.#serverWrite(step);
      case 'subscribe':
      case 'unsubscribe':
        return this.#user(step)[step.type](filters[step.filter] as string);
      case 'up':
      case 'down':
      case 'stream':
        for (let count = 0; count < step.count; count++) this.#user(step).network[step.type]();
        return;
      case 'flow':
        this.#user(step).network.flow();
        return;
      case 'cut':
        return this.#user(step).network.cut();
      case 'crash':
        return this.#user(step).crash();
      case 'pause':
      case 'resume':
        return this.#user(step).client[step.type]();
      case 'reset':
        return this.#user(step).network.link?.stream.reset('told to');
      case 'jump':
        return this.#user(step).program.jump(step.ms);
      case 'advance':
        return this.clock.advance(step.ms);
      case 'trim':
        return this.server.trim();
      case 'newHistory':
        this.server.startNewHistory();
        for (const one of this.users) one.network.cut();
        return;
      case 'faults':
        this.server.faults = step.count;
    }
  }

  async #write(step: Extract<Command, { type: 'write' }>): Promise<void> {
    this.#writes += 1;
    const fields = {
      value: `${step.user}-${this.#writes}`,
      kind: step.kind,
      ...(step.forbidden && { forbidden: true }),
    };
    await this.#user(step).write(step.operation, step.documentId, fields);
  }

  #serverWrite(step: Extract<Command, { type: 'serverWrite' }>): void {
    this.#writes += 1;
    this.server.change('other', {
      id: `other-${this.#writes}`,
      operation: step.operation,
      collection,
      documentId: step.documentId,
      data: step.operation === 'delete' ? undefined : { value: `other-${this.#writes}`, kind: step.kind },
    });
  }
}

/** Small and repeatable; the seed is part of the counterexample. */
function randomFrom(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('the client under random edits, lost acks, crashes, resets and clock jumps', () => {
  it('converges, loses no edit, and never lets an acked edit vanish', async () => {
    const runs = Number(process.env.MODEL_RUNS ?? 150);
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { maxLength: 70, size: 'max' }),
        fc.nat({ max: 1e9 }),
        async (commands, seed) => {
          const run = new Run(randomFrom(seed));
          await run.start(seed);
          for (const step of commands) await run.perform(step);
          await run.finish();
          for (const one of run.users) {
            one.checkGoneEarly();
            expect(one.violations).toEqual([]);
            expect(one.client.status).toMatchObject({ connection: 'live', pending: 0, optimistic: 0 });
            expect(one.subscriptionStates().filter((state) => state !== 'complete')).toEqual([]);
            expect(await one.shown()).toEqual(one.expected());
            expectEveryWriteDecided(one, run.server);
          }
          for (const one of run.users) await one.client.close();
          expect(run.clock.timers).toBe(0);
        },
      ),
      {
        numRuns: runs,
        interruptAfterTimeLimit: 100_000,
        markInterruptAsFailure: true,
        endOnFailure: process.env.MODEL_QUICK === '1',
      },
    );
  }, 120_000);
});

function expectEveryWriteDecided(one: ModelUser, server: SimulatedServer): void {
  for (const { changeId } of one.asked) {
    const isCommitted = server.committed.some(({ id }) => id === changeId);
    const isTakenBack = one.compensated.some((write) => write.changeId === changeId);
    expect({ changeId, isDecided: isCommitted || isTakenBack }).toEqual({ changeId, isDecided: true });
  }
}
