import type { Json } from '@tidemark/protocol/core';
import { type Client, createClient } from '../src/client.ts';
import type { SocketHandlers } from '../src/connection/socket.ts';
import { MemoryStore } from '../src/local/memory-store.ts';
import type { Subscription } from '../src/subscription.ts';
import { ManualClock } from './manual-clock.ts';
import { type Memory, mismatch, resolved } from './pattern.ts';
import { settle } from './settle.ts';

export type ScenarioStep = Readonly<Record<string, unknown>>;

export interface Scenario {
  readonly name: string;
  readonly why: string;
  readonly steps: readonly ScenarioStep[];
}

interface Call {
  readonly event: string;
  readonly payload: unknown;
  readonly answer: (answer: unknown) => void;
}

interface Watch {
  readonly collection: string;
  readonly pattern: unknown;
}

const told = ['compensated', 'settled', 'reset'] as const;

/** Plays a scenario to our client. Throws with the step that did not go as written. */
export class ScenarioRunner {
  readonly #clock = new ManualClock();
  readonly #store = new MemoryStore();
  readonly #memory: Memory = new Map();
  readonly #subscriptions = new Map<string, Subscription>();
  #program = this.#clock.forProgram();
  #handlers: SocketHandlers | undefined;
  #calls: Call[] = [];
  readonly #named = new Map<string, Call>();
  #events: { name: string; value: unknown }[] = [];
  #watches: Watch[] = [];
  #faults: string[] = [];
  #client: Client = this.#start();

  async run({ steps }: Scenario): Promise<void> {
    await settle();
    for (const [index, step] of steps.entries()) {
      const fault = (await this.#perform(step)) ?? (await this.#settled());
      if (fault !== undefined) throw new Error(`step ${index} ${JSON.stringify(step)}: ${fault}`);
    }
    await this.#client.close();
  }

  readonly #steps: Readonly<Record<string, (step: ScenarioStep) => Promise<unknown> | unknown>> = {
    open: () => this.#handlers?.opened(),
    cut: () => this.#cut(),
    time: ({ time }) => this.#clock.advance(time as number),
    jump: ({ jump }) => this.#program.jump(jump as number),
    call: (step) => this.#expectCall(step),
    noCall: () => (this.#calls.length === 0 ? undefined : `the client called ${this.#calls[0]?.event}`),
    answer: ({ answer, payload }) => this.#named.get(answer as string)?.answer(resolved(payload, this.#memory)),
    emit: ({ emit, args }) => this.#handlers?.received(emit as string, resolved(args, this.#memory) as unknown[]),
    subscribe: (step) => this.#subscribe(step),
    unsubscribe: (step) => void this.#subscriptions.get(nameOf(step, 'unsubscribe'))?.unsubscribe(),
    insert: ({ insert, document }) => void this.#client.collection(insert as string).insert(document as never),
    update: ({ update, id, fields, unset }) =>
      void this.#client
        .collection(update as string)
        .update(id as string, fields as never, { unset: (unset ?? []) as string[] }),
    delete: (step) => void this.#client.collection(step.delete as string).delete(step.id as string),
    pause: () => this.#client.pause(),
    resume: () => this.#client.resume(),
    restart: () => this.#restart(),
    view: ({ view, documents }) => this.#expectView(view as string, documents as unknown[]),
    status: ({ status }) => mismatch(status, this.#client.status, this.#memory),
    event: ({ event, value }) => this.#expectEvent(event as string, value),
    never: ({ never, without }) => void this.#watches.push({ collection: never as string, pattern: without }),
  };

  async #perform(step: ScenarioStep): Promise<string | undefined> {
    const [word = ''] = Object.keys(step);
    const perform = this.#steps[word];
    if (!perform) return `there is no step ${word}`;
    const result = await perform(step);
    return typeof result === 'string' ? result : undefined;
  }

  async #settled(): Promise<string | undefined> {
    await settle();
    return this.#faults[0];
  }

  #start(): Client {
    const client = createClient({
      url: 'http://scenario',
      auth: { userId: 'ann' },
      store: this.#store,
      clock: this.#program,
      random: seeded(),
      socket: (_request, handlers) => {
        this.#handlers = handlers;
        return {
          request: (event, payload, answer) => this.#calls.push({ event, payload: structuredClone(payload), answer }),
          close: () => {
            if (this.#handlers === handlers) this.#handlers = undefined;
          },
        };
      },
    });
    for (const name of told) client.on(name, (value) => this.#events.push({ name, value }));
    for (const collection of ['tasks', 'other']) {
      client
        .collection(collection)
        .query()
        .observe(({ documents }) => this.#watch(collection, documents));
    }
    return client;
  }

  #watch(collection: string, documents: readonly unknown[]): void {
    for (const { collection: watched, pattern } of this.#watches) {
      const isThere = documents.some((document) => mismatch(pattern, document, this.#memory) === undefined);
      if (watched === collection && !isThere)
        this.#faults.push(`${collection} was seen without ${JSON.stringify(pattern)}`);
    }
  }

  #cut(): void {
    const handlers = this.#handlers;
    this.#calls = [];
    this.#handlers = undefined;
    handlers?.closed({ message: 'cut' });
  }

  async #restart(): Promise<void> {
    this.#program.kill();
    this.#handlers = undefined;
    this.#calls = [];
    this.#program = this.#clock.forProgram();
    this.#client = this.#start();
    await this.#client.ready;
  }

  async #subscribe(step: ScenarioStep): Promise<void> {
    const { subscribe, filter = '', args = [] } = step as { subscribe: string; filter?: string; args?: Json[] };
    this.#subscriptions.set(nameOf(step, 'subscribe'), await this.#client.subscribe(subscribe, filter, args));
  }

  #expectCall({ call, payload, as: name }: ScenarioStep): string | undefined {
    const made = this.#calls.shift();
    if (!made) return 'the client has made no call';
    if (made.event !== call) return `the client called ${made.event}`;
    if (typeof name === 'string') this.#named.set(name, made);
    return payload === undefined ? undefined : mismatch(payload, made.payload, this.#memory);
  }

  async #expectView(collection: string, patterns: readonly unknown[]): Promise<string | undefined> {
    const left = [...(await this.#client.collection(collection).query().find())];
    const seen = JSON.stringify(left);
    for (const pattern of patterns) {
      const index = left.findIndex((document) => mismatch(pattern, document, this.#memory) === undefined);
      if (index < 0) return `the user sees ${seen}`;
      left.splice(index, 1);
    }
    return left.length === 0 ? undefined : `the user sees ${seen}`;
  }

  #expectEvent(name: string, pattern: unknown): string | undefined {
    const found = this.#events.filter((event) => event.name === name);
    this.#events = this.#events.filter((event) => event.name !== name);
    if (found.length !== 1) return `there were ${found.length} events ${name}`;
    return mismatch(pattern, found[0]?.value, this.#memory);
  }
}

function nameOf(step: ScenarioStep, word: string): string {
  return JSON.stringify([step[word], step.filter ?? '', step.args ?? []]);
}

function seeded(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
