import type { Document } from '@tidemark/protocol/core';
import { type Client, createClient } from '../src/client.ts';
import type { CompensatedWrite, SettledWrite } from '../src/events.ts';
import { MemoryStore } from '../src/local/memory-store.ts';
import type { Subscription } from '../src/subscription.ts';
import { predicateOf } from '../src/sync/subscription-set.ts';
import type { ManualClock } from './manual-clock.ts';
import { settle } from './settle.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import type { SimulatedServer } from './simulated-server.ts';

export const collection = 'tasks';

export interface World {
  readonly server: SimulatedServer;
  readonly clock: ManualClock;
  readonly random: () => number;
}

/** A write that the user asked for. No two have the same value. */
interface Asked {
  readonly changeId: string;
  readonly documentId: string;
  readonly value: string | undefined;
}

interface Vanished {
  readonly own: Asked;
  readonly previous: Document;
}

/** A user with one device, which may crash; and all that the user was ever shown and told. */
export class ModelUser {
  readonly name: string;
  readonly network: SimulatedNetwork;
  readonly settled = new Map<string, SettledWrite[]>();
  readonly compensated: CompensatedWrite[] = [];
  /** What went wrong, as sentences. */
  readonly violations: string[] = [];
  readonly asked: Asked[] = [];
  readonly #world: World;
  readonly #store = new MemoryStore();
  readonly #subscriptions = new Map<string, Subscription>();
  #vanished: Vanished[] = [];
  /** Not shown though in the outbox, as when the insert below an update was rejected: right only if it is taken back later. */
  readonly #goneEarly: Asked[] = [];
  program: ReturnType<ManualClock['forProgram']>;
  client: Client;

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
    this.network = new SimulatedNetwork(world.server);
    this.program = world.clock.forProgram();
    this.client = this.#start();
  }

  async write(
    operation: 'insert' | 'update' | 'delete',
    documentId: string,
    fields: Record<string, unknown>,
  ): Promise<void> {
    const tasks = this.client.collection(collection);
    const accepted = {
      insert: () => tasks.insert({ _id: documentId, ...fields }),
      update: () => tasks.update(documentId, fields),
      delete: () => tasks.delete(documentId),
    }[operation]();
    const shown = this.client.collection(collection).query(`_id == "${documentId}"`);
    let now: Document | undefined;
    shown.observe(({ documents }) => {
      now = documents[0];
    })();
    // At once, before anything was stored or sent; only an update of what the user has deleted shows nothing.
    if (operation === 'delete' ? now !== undefined : now !== undefined && now.value !== fields.value) {
      this.violations.push(`${operation} of ${documentId} does not show`);
    }
    const { changeId } = await accepted;
    const value = operation === 'delete' ? undefined : (fields.value as string);
    this.asked.push({ changeId, documentId, value });
  }

  async subscribe(filter: string): Promise<void> {
    if (!this.#subscriptions.has(filter))
      this.#subscriptions.set(filter, await this.client.subscribe(collection, filter));
  }

  async unsubscribe(filter: string): Promise<void> {
    const subscription = this.#subscriptions.get(filter);
    this.#subscriptions.delete(filter);
    await subscription?.unsubscribe();
  }

  /** The program dies without a word; another one starts on what the store has. */
  async crash(): Promise<void> {
    this.program.kill();
    this.network.cut();
    await settle();
    this.program = this.#world.clock.forProgram();
    this.client = this.#start();
    await this.client.ready;
    for (const filter of this.#subscriptions.keys()) {
      this.#subscriptions.set(filter, await this.client.subscribe(collection, filter));
    }
  }

  /** What the user should see when everything is in step. */
  expected(): readonly Document[] {
    return sortedById(this.#world.server.documents(collection).filter((document) => this.#isSubscribed(document)));
  }

  async shown(): Promise<readonly Document[]> {
    return sortedById(await this.client.collection(collection).query().find());
  }

  subscriptionStates(): readonly string[] {
    return [...this.#subscriptions.values()].map(({ state }) => state.kind);
  }

  /** Looks at what vanished from view in this step: it must have been taken back, overwritten, or have left the view. */
  checkVanished(): void {
    for (const { own, previous } of this.#vanished.splice(0)) {
      const fault = this.#faultOf(own, previous);
      if (fault !== undefined) this.violations.push(`${own.changeId} of ${own.documentId} ${fault}`);
    }
  }

  checkGoneEarly(): void {
    for (const own of this.#goneEarly) {
      const isTakenBack = this.compensated.some(({ changeId }) => changeId === own.changeId);
      if (!isTakenBack)
        this.violations.push(`${own.changeId} of ${own.documentId} vanished while it was in the outbox`);
    }
  }

  #faultOf(own: Asked, previous: Document): string | undefined {
    const { committed } = this.#world.server;
    const isOverwrittenByUser = this.asked
      .slice(this.asked.indexOf(own) + 1)
      .some(({ documentId }) => documentId === own.documentId);
    if (isOverwrittenByUser || this.compensated.some(({ changeId }) => changeId === own.changeId)) return undefined;
    if (this.client.outbox().some(({ id }) => id === own.changeId)) {
      this.#goneEarly.push(own);
      return undefined;
    }
    const index = committed.findIndex(({ id }) => id === own.changeId);
    const entry = committed[index];
    if (!entry) return 'vanished, though it was neither committed nor taken back';
    if (committed.slice(index + 1).some(({ documentId }) => documentId === own.documentId)) return undefined;
    const isInView = this.#isSubscribed(previous) && entry.after !== undefined && this.#isSubscribed(entry.after);
    return isInView ? 'vanished, though it is the last word and in view' : undefined;
  }

  #isSubscribed(document: Document): boolean {
    return [...this.#subscriptions.keys()].some((filter) => predicateOf({ filter, args: [] })(document as never));
  }

  #start(): Client {
    const client = createClient({
      url: '',
      auth: { userId: this.name },
      store: this.#store,
      clock: this.program,
      random: this.#world.random,
      socket: this.network.factory,
    });
    const isCurrent = () => this.client === client;
    client.on('settled', (settled) => {
      if (isCurrent()) this.settled.set(settled.changeId, [...(this.settled.get(settled.changeId) ?? []), settled]);
    });
    client.on('compensated', (write) => isCurrent() && this.compensated.push(write));
    client.on('problem', ({ code, message }) => this.violations.push(`problem ${code}: ${message}`));
    client
      .collection(collection)
      .query()
      .observe(({ diff }) => {
        if (!isCurrent()) return;
        for (const { previous, document } of diff?.changed ?? []) this.#changed(previous, document);
        for (const { document } of diff?.removed ?? []) this.#changed(document, undefined);
      });
    return client;
  }

  /** An update that waits behind the user's own delete is not shown: most likely it will lose, though others may make the document anew. */
  #isGuess(own: Asked): boolean {
    const entries = this.client.outbox().filter(({ documentId }) => documentId === own.documentId);
    const isPending = entries.some(({ id, stage }) => id === own.changeId && stage === 'accepted');
    return isPending && entries.some(({ operation }) => operation === 'delete');
  }

  #changed(previous: Document, next: Document | undefined): void {
    const own = this.asked.find(({ documentId, value }) => documentId === previous._id && value === previous.value);
    if (own && next?.value !== own.value && !this.#isGuess(own)) this.#vanished.push({ own, previous });
  }
}

function sortedById(documents: readonly Document[]): readonly Document[] {
  return [...documents].sort((a, b) => String(a._id).localeCompare(String(b._id)));
}
