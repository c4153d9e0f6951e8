import type { ConnectionState } from '../connection/machine.ts';
import { LocalStoreError } from '../local/port.ts';
import type { StoredState, WriteBatch } from '../local/records.ts';
import type { ConnectionCommand, SyncDriver } from '../sync/driver.ts';
import type { SharedDriver, ShareStore, TabClient } from './shared-driver.ts';
import { TabClaims } from './tab-claims.ts';
import { type SharedEvent, sharedEvents, type TabMessage, type Tabs } from './tabs.ts';

interface Request {
  readonly batch: WriteBatch;
  readonly resolve: () => void;
  readonly reject: (error: LocalStoreError) => void;
}

const unknown: ConnectionState = { kind: 'connecting', failures: 0 };

/**
 * Several tabs, one store, one connection. One tab leads: it alone writes to the store and talks to the server, and tells the others what
 * it wrote. The others ask it to write, and repeat what it has not answered when another one leads. Repeating is harmless, since writes have ids.
 */
export class TabDriver implements SharedDriver {
  readonly claims: TabClaims;
  readonly #tabs: Tabs;
  readonly #client: TabClient;
  readonly #requests = new Map<number, Request>();
  #lastRequest = 0;
  #engine: SyncDriver | undefined;
  #followed: ConnectionState = unknown;
  #isLoaded = false;
  #isClosed = false;
  #wantsConnection: boolean;
  /** What came while the store was being read. */
  #early: TabMessage[] = [];
  /** Told to the others after what they are about is written. */
  #untold: SharedEvent[] = [];
  #isTellingState = false;

  constructor(tabs: Tabs, client: TabClient) {
    this.#tabs = tabs;
    this.#client = client;
    this.#wantsConnection = client.connects;
    this.claims = new TabClaims(tabs);
    tabs.listen((message) => this.#heard(message));
    for (const name of sharedEvents) {
      client.events.on(name, (value) => {
        if (this.#engine) this.#untold.push(cloneable({ name, value } as SharedEvent));
      });
    }
    client.subscriptions.watch({
      added: () => this.#tellState(),
      // Only the leader's documents go with a subscription; it tells us.
      removed: ({ record }) => this.#engine ?? client.subscriptions.left(record.id),
      stateChanged: () => this.#tellState(),
    });
  }

  get isLeading(): boolean {
    return this.#engine !== undefined;
  }

  get state(): ConnectionState {
    if (this.#isClosed) return { kind: 'closed' };
    return this.#engine?.state ?? this.#followed;
  }

  /** Reads the store, as its leader if there is none yet. */
  async load(): Promise<StoredState> {
    const leads = await this.#tabs.tryToLead();
    const state = await this.#client.store.load();
    if (leads) this.#lead();
    else void this.#waitToLead();
    return state;
  }

  /** The database holds what was loaded: what came meanwhile can be applied. */
  loaded(): void {
    this.#isLoaded = true;
    for (const message of this.#early.splice(0)) this.#heard(message);
    if (this.#engine) this.#start();
    else this.#tabs.post({ kind: 'hello' });
  }

  /** Writes to the store, or has the leader do it. */
  async write(batch: WriteBatch): Promise<void> {
    if (this.#engine) {
      await this.#store(batch);
      return;
    }
    // Where we stand is the leader's to say.
    const { meta: _, ...own } = batch;
    if (Object.values(own).some((records) => records.length > 0)) await this.#request(own);
  }

  command(command: ConnectionCommand): void {
    this.#wanted(command);
    if (this.#engine) this.#engine.command(command);
    this.#tabs.post({ kind: 'command', command });
  }

  mark(): void {
    this.#obey('mark');
  }

  reconcile(): void {
    this.#obey('reconcile');
  }

  pump(): void {
    this.#engine?.pump();
  }

  close(): void {
    this.#isClosed = true;
    this.#engine?.close();
    for (const { reject } of this.#requests.values()) reject(new LocalStoreError('closed', 'the client was closed'));
    this.#requests.clear();
    this.#tabs.post({ kind: 'bye', tab: this.#tabs.id });
    this.#client.changed();
  }

  /** After the last write: another tab may lead. */
  release(): void {
    this.#tabs.close();
  }

  tellCaughtUp(): void {
    this.#tabs.post({ kind: 'caughtUp' });
  }

  /** The engine has moved on. */
  tellState(): void {
    this.#tellState();
  }

  #obey(command: 'mark' | 'reconcile'): void {
    if (this.#engine) this.#engine[command]();
    else this.#tabs.post({ kind: 'command', command });
  }

  async #waitToLead(): Promise<void> {
    await this.#tabs.waitToLead();
    if (this.#isClosed) return;
    // The last leader may have written what it could not tell any more.
    const state = await this.#client.store.load();
    const own = [...this.#requests.values()].map(({ batch }) => batch);
    this.#client.database.replace(state, own);
    this.#client.subscriptions.reload();
    this.#lead();
    this.#start();
    this.#tabs.post({ kind: 'leading' });
    for (const request of [...this.#requests.keys()]) await this.#writeOwn(request);
  }

  #lead(): void {
    this.#engine = this.#client.makeEngine();
  }

  #start(): void {
    if (this.#wantsConnection) this.#engine?.command('resume');
    this.#client.changed();
    this.#tellState();
  }

  async #writeOwn(id: number): Promise<void> {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    try {
      if (request) await this.#store(request.batch);
      request?.resolve();
    } catch (error) {
      request?.reject(error as LocalStoreError);
    }
  }

  async #store(batch: WriteBatch): Promise<void> {
    await this.#client.store.write(batch);
    this.#tabs.post({ kind: 'written', batch });
    for (const event of this.#untold.splice(0)) this.#tabs.post({ kind: 'event', ...event });
  }

  #request(batch: WriteBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lastRequest += 1;
      this.#requests.set(this.#lastRequest, { batch, resolve, reject });
      this.#tabs.post({ kind: 'write', tab: this.#tabs.id, request: this.#lastRequest, batch });
    });
  }

  #heard(message: TabMessage): void {
    if (this.#isClosed || this.claims.heard(message)) return;
    if (!this.#isLoaded) this.#early.push(message);
    else if (this.#engine) this.#heardAsLeader(message);
    else this.#heardAsFollower(message);
  }

  #heardAsLeader(message: TabMessage): void {
    if (message.kind === 'write') void this.#writeFor(message);
    else if (message.kind === 'hello') this.#tellState();
    else if (message.kind === 'command') this.#commanded(message.command);
  }

  #heardAsFollower(message: TabMessage): void {
    const { database, subscriptions, events, changed, caughtUp } = this.#client;
    if (message.kind === 'written') {
      database.restore(message.batch);
      subscriptions.reload();
      changed();
    } else if (message.kind === 'state') this.#follow(message);
    else if (message.kind === 'event') events.emit(message.name, message.value as never);
    else if (message.kind === 'caughtUp') caughtUp();
    else if (message.kind === 'done') this.#answered(message);
    else if (message.kind === 'leading') this.#repeat();
    else if (message.kind === 'command') this.#wanted(message.command);
  }

  #follow({ state, subscriptions }: TabMessage & { kind: 'state' }): void {
    this.#followed = state;
    for (const [id, known] of subscriptions) this.#client.subscriptions.setState(id, known);
    this.#client.changed();
  }

  #answered({ tab, request, error }: TabMessage & { kind: 'done' }): void {
    const asked = tab === this.#tabs.id ? this.#requests.get(request) : undefined;
    if (!asked) return;
    this.#requests.delete(request);
    if (error) asked.reject(new LocalStoreError(error.isFull ? 'full' : 'failed', error.message));
    else asked.resolve();
  }

  #repeat(): void {
    for (const [request, { batch }] of this.#requests) {
      this.#tabs.post({ kind: 'write', tab: this.#tabs.id, request, batch });
    }
  }

  #wanted(command: string): void {
    if (command === 'pause' || command === 'resume') this.#wantsConnection = command === 'resume';
  }

  #commanded(command: ConnectionCommand | 'mark' | 'reconcile'): void {
    this.#wanted(command);
    if (command === 'mark' || command === 'reconcile') this.#engine?.[command]();
    else this.#engine?.command(command);
  }

  async #writeFor({ tab, request, batch }: TabMessage & { kind: 'write' }): Promise<void> {
    const { database, subscriptions, adopt, flushed } = this.#client;
    const added = batch.putEntries.filter(({ id }) => !database.outbox.get(id));
    adopt(added.map(({ id }) => id));
    database.mutate(() => {
      for (const entry of added) database.outbox.add(entry);
      for (const entry of added) database.clock.observe(entry.timestamp);
      for (const id of batch.deleteEntries) database.outbox.remove(id);
      for (const record of batch.putSubscriptions) subscriptions.put(record);
      for (const id of batch.deleteSubscriptions) subscriptions.remove(id, { kind: 'ended' });
    });
    try {
      await flushed();
      this.#tabs.post({ kind: 'done', tab, request });
    } catch (error) {
      database.mutate(() => {
        for (const { id } of added) database.outbox.remove(id);
      });
      const isFull = error instanceof LocalStoreError && error.code === 'full';
      this.#tabs.post({ kind: 'done', tab, request, error: { isFull, message: String(error) } });
    }
  }

  /** Once for all that changes in one turn. */
  #tellState(): void {
    if (!this.#engine || this.#isTellingState) return;
    this.#isTellingState = true;
    queueMicrotask(() => {
      this.#isTellingState = false;
      const subscriptions = this.#client.subscriptions.all().map(({ record, state }) => [record.id, state] as const);
      if (!this.#isClosed) this.#tabs.post({ kind: 'state', state: this.state, subscriptions });
    });
  }
}

/** What caused a problem may be anything, and not everything can be sent. */
function cloneable(event: SharedEvent): SharedEvent {
  if (event.name !== 'problem') return event;
  const { code, message } = event.value;
  return { name: 'problem', value: { code, message } };
}

/** For `createClient({ tabs })`: shares the client's store with these tabs. */
export function shareWith(tabs: Tabs): ShareStore {
  return (client) => new TabDriver(tabs, client);
}
