import { expect } from '@jest/globals';
import { type Client, createClient } from '../src/client.ts';
import { MemoryStore } from '../src/local/memory-store.ts';
import { type LocalStore, LocalStoreError } from '../src/local/port.ts';
import type { StoredState, WriteBatch } from '../src/local/records.ts';
import { shareWith } from '../src/tabs/tab-driver.ts';
import { ManualClock } from './manual-clock.ts';
import { settle } from './settle.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { SimulatedServer } from './simulated-server.ts';
import { TabHub } from './simulated-tabs.ts';

/** One IndexedDB for all tabs; closing it in one tab closes it for that tab only. */
class SharedStore extends MemoryStore {
  isFull = false;
  /** Called when a batch has been written, before anyone is told. */
  onWritten: () => void = () => {};

  override async write(batch: WriteBatch): Promise<void> {
    if (this.isFull) throw new LocalStoreError('full', 'no room');
    await super.write(batch);
    this.onWritten();
  }

  override async close(): Promise<void> {}
}

export interface Tab {
  readonly client: Client;
  readonly network: SimulatedNetwork;
  /** As when the browser kills it. */
  die(): void;
}

/** A browser with one store, a server, and the tabs that are open. */
export class TabWorld {
  readonly clock = new ManualClock();
  readonly server = new SimulatedServer(() => this.clock.now());
  readonly store = new SharedStore();
  readonly tabs: Tab[] = [];
  readonly #hub = new TabHub();
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  async open(): Promise<Tab> {
    const tab = this.start();
    await tab.client.ready;
    await this.flow();
    return tab;
  }

  /** Does not wait for it. */
  start(): Tab {
    const network = new SimulatedNetwork(this.server);
    const program = this.clock.forProgram();
    const shared = this.#hub.open();
    const place = { isDead: false };
    const client = createClient({
      url: '',
      auth: { userId: 'ann' },
      store: ofLiving(this.store, place),
      clock: program,
      random: this.#random,
      tabs: shareWith(shared),
      socket: network.factory,
    });
    const die = () => {
      place.isDead = true;
      shared.die();
      network.cut();
      program.kill();
      this.forget(tab);
    };
    const tab: Tab = { client, network, die };
    this.tabs.push(tab);
    return tab;
  }

  /** Closes a tab in peace. */
  async close(tab: Tab): Promise<void> {
    const closed = tab.client.close();
    await this.flow();
    await closed;
    this.forget(tab);
    await this.flow();
  }

  /** Somebody else writes a task. */
  benInserts(id: string, title = id): void {
    const place = { collection: 'tasks', documentId: id } as const;
    this.server.change('ben', { id: `ben-${id}`, operation: 'insert', ...place, data: { title } });
  }

  /** Everything that can happen without time happens. */
  async flow(): Promise<void> {
    for (let quiet = 0; quiet < 8; quiet++) {
      await settle();
      for (const { network } of this.tabs) if (network.flow()) quiet = 0;
    }
  }

  async end(): Promise<void> {
    for (const tab of [...this.tabs]) await this.close(tab);
    expect(this.clock.timers).toBe(0);
  }

  forget(tab: Tab): void {
    const index = this.tabs.indexOf(tab);
    if (index >= 0) this.tabs.splice(index, 1);
  }
}

/** What a dead tab asks the store for is neither done nor answered. */
function ofLiving(store: LocalStore, place: { readonly isDead: boolean }): LocalStore {
  const alive = async <T>(run: () => Promise<T>): Promise<T> => {
    if (place.isDead) return await new Promise<T>(() => {});
    const result = await run();
    return place.isDead ? await new Promise<T>(() => {}) : result;
  };
  return {
    load: (): Promise<StoredState> => alive(() => store.load()),
    write: (batch) => alive(() => store.write(batch)),
    clear: () => alive(() => store.clear()),
    close: () => store.close(),
  };
}

export async function titles({ client }: Tab): Promise<unknown[]> {
  return (await client.collection('tasks').query().find()).map(({ title }) => title).sort();
}
