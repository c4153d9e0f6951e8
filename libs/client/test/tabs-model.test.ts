import { expect, it } from '@jest/globals';
import type { Document } from '@tidemark/protocol/core';
import fc from 'fast-check';
import { settle } from './settle.ts';
import { type Tab, TabWorld } from './tab-world.ts';

type Command =
  | { type: 'open' }
  | { type: 'write'; tab: number; documentId: string; forbidden: boolean }
  | { type: 'serverWrite'; documentId: string }
  | { type: 'die' | 'close' | 'flow'; tab: number }
  | { type: 'dieAfterBatch'; batches: number }
  | { type: 'up' | 'stream' | 'down'; count: number }
  | { type: 'settle'; turns: number }
  | { type: 'full'; isFull: boolean }
  | { type: 'advance'; ms: number };

const tab = fc.nat({ max: 3 });
const documentId = fc.constantFrom('a', 'b', 'c', 'd');
const record = <T extends string>(...types: T[]) => fc.constantFrom(...types);
const command = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: record('open') }) },
  {
    weight: 10,
    arbitrary: fc.record({
      type: record('write'),
      tab,
      documentId,
      forbidden: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: record('serverWrite'), documentId }) },
  { weight: 2, arbitrary: fc.record({ type: record('die', 'close'), tab }) },
  { weight: 1, arbitrary: fc.record({ type: record('dieAfterBatch'), batches: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ type: record('flow'), tab }) },
  { weight: 8, arbitrary: fc.record({ type: record('up', 'stream', 'down'), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 6, arbitrary: fc.record({ type: record('settle'), turns: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ type: record('full'), isFull: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: record('advance'), ms: fc.constantFrom(150, 2_000, 40_000) }) },
) as fc.Arbitrary<Command>;

/** What the program of one tab was told and shown. */
interface Seen {
  readonly tab: Tab;
  readonly outcomes: Map<string, string>;
}

class Run {
  readonly world: TabWorld;
  readonly violations: string[] = [];
  /** Writes that a program was told are kept, by their value. */
  readonly durable: { readonly changeId: string; readonly value: string }[] = [];
  readonly seen: Seen[] = [];
  /** Every outcome that any tab was told. */
  readonly outcomes = new Map<string, string>();
  /** Tabs that are being closed, and not yet. */
  readonly #closing = new Set<Tab>();
  #writes = 0;

  constructor(random: () => number) {
    this.world = new TabWorld(random);
  }

  async open(): Promise<void> {
    if (this.world.tabs.length >= 4) return;
    const tab = this.world.start();
    const seen: Seen = { tab, outcomes: new Map() };
    this.seen.push(seen);
    const { client } = tab;
    client.on('settled', ({ changeId, outcome }) => {
      seen.outcomes.set(changeId, outcome);
      this.outcomes.set(changeId, outcome);
    });
    client.on('problem', ({ code, message }) => code === 'store_full' || this.violations.push(`${code}: ${message}`));
    client
      .collection('tasks')
      .query()
      .observe(({ diff }) => {
        for (const { previous, document } of diff?.changed ?? []) this.#changed(previous, document);
        for (const { document } of diff?.removed ?? []) this.#changed(document, undefined);
      });
    void client.subscribe('tasks').catch(() => {});
  }

  async perform(step: Command): Promise<void> {
    const usable = this.world.tabs.filter((one) => step.type === 'die' || !this.#closing.has(one));
    const tab = 'tab' in step ? usable[step.tab % Math.max(1, usable.length)] : undefined;
    if (step.type === 'open') await this.open();
    else if (step.type === 'write' && tab) this.#write(tab, step);
    else if (step.type === 'serverWrite') this.#serverWrite(step.documentId);
    else if (step.type === 'die') tab?.die();
    else if (step.type === 'close' && tab) this.#close(tab);
    else if (step.type === 'flow') tab?.network.flow();
    else if (step.type === 'dieAfterBatch') this.#dieAfter(step.batches);
    else if (step.type === 'full') this.world.store.isFull = step.isFull;
    else if (step.type === 'advance') this.world.clock.advance(step.ms);
    else if (step.type === 'settle') for (let turn = 0; turn < step.turns; turn++) await settle();
    else if (step.type === 'up' || step.type === 'stream' || step.type === 'down') {
      for (let count = 0; count < step.count; count++) for (const { network } of this.world.tabs) network[step.type]();
    }
  }

  /** Time passes until nothing moves any more; at least one tab is there. */
  async finish(): Promise<void> {
    this.world.store.onWritten = () => {};
    this.world.store.isFull = false;
    for (let round = 0; round < 12; round++) {
      await this.world.flow();
      this.world.clock.advance(10_000);
    }
    for (const tab of this.#closing) if (this.world.tabs.includes(tab)) this.violations.push('a tab does not close');
    if (this.world.tabs.length > 0 || this.violations.length > 0) return;
    await this.open();
    await this.finish();
  }

  #write({ client }: Tab, { documentId, forbidden }: Extract<Command, { type: 'write' }>): void {
    this.#writes += 1;
    const value = `own-${this.#writes}`;
    const accepted = client.collection('tasks').insert({ _id: documentId, value, ...(forbidden && { forbidden }) });
    void accepted.then(
      ({ changeId }) => this.durable.push({ changeId, value }),
      (error: { code?: string }) => error.code === 'store_full' || this.violations.push(String(error)),
    );
  }

  #serverWrite(documentId: string): void {
    this.#writes += 1;
    this.world.server.change('ben', {
      id: `ben-${this.#writes}`,
      operation: 'insert',
      collection: 'tasks',
      documentId,
      data: { value: `ben-${this.#writes}` },
    });
  }

  #close(tab: Tab): void {
    this.#closing.add(tab);
    void tab.client.close().then(() => {
      this.#closing.delete(tab);
      this.world.forget(tab);
    });
  }

  #dieAfter(batches: number): void {
    let left = batches;
    this.world.store.onWritten = () => {
      left -= 1;
      if (left > 0) return;
      this.world.store.onWritten = () => {};
      this.world.tabs.find(({ network }) => network.link !== undefined)?.die();
    };
  }

  /** What an observer saw and sees no more: an own write that the server has committed as its last word must not vanish. */
  #changed(previous: Document, next: Document | undefined): void {
    if (next?.value === previous.value) return;
    const { committed } = this.world.server;
    const newest = committed.findLast(({ documentId }) => documentId === previous._id);
    const isLast = newest !== undefined && newest.after?.value === previous.value;
    // The user may have written it again since.
    const isOwnEdit = String(next?.value).startsWith('own-');
    if (isLast && !isOwnEdit) this.violations.push(`${String(previous.value)} vanished for ${String(next?.value)}`);
  }
}

function randomFrom(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

it('tabs that die at any time lose no write that was kept, make none twice, and agree in the end', async () => {
  const runs = Number(process.env.MODEL_RUNS ?? 100);
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), fc.nat({ max: 1e9 }), async (steps, seed) => {
      const run = new Run(randomFrom(seed));
      await run.open();
      await run.open();
      for (const step of steps) await run.perform(step);
      await run.finish();
      const { server, tabs, store } = run.world;
      expect(run.violations).toEqual([]);
      const expected = server
        .documents('tasks')
        .map(({ _id, value }) => ({ _id, value }))
        .sort((a, b) => String(a._id).localeCompare(String(b._id)));
      for (const { client } of tabs) {
        const found = await client.collection('tasks').query().sort('_id').find();
        expect(found.map(({ _id, value }) => ({ _id, value }))).toEqual(expected);
        expect(client.status).toMatchObject({ connection: 'live', pending: 0, optimistic: 0 });
      }
      for (const { changeId, value } of run.durable) {
        const commits = server.committed.filter(({ id }) => id === changeId).length;
        const outcome = run.outcomes.get(changeId);
        expect({ value, commits, isTakenBack: commits === 0 && outcome !== 'applied' }).toEqual({
          value,
          commits: commits === 0 ? 0 : 1,
          isTakenBack: commits === 0,
        });
      }
      expect((await store.load()).entries).toEqual([]);
      await run.world.end();
    }),
    { numRuns: runs, interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true },
  );
}, 120_000);
