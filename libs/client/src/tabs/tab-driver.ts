import type { ConnectionState } from '../connection/machine.ts';
import { isEmptyBatch } from '../local/is-empty-batch.ts';
import type { MetaRecord, StoredState, WriteBatch } from '../local/records.ts';
import { storeError } from '../store-error.ts';
import type { ConnectionCommand, SyncDriver } from '../sync/driver.ts';
import { missingIn, takeBatch, takeOver, takeState } from './shared-database.ts';
import type { SharedDriver, ShareStore, TabClient } from './shared-driver.ts';
import { TabClaims } from './tab-claims.ts';
import { TabEvents } from './tab-events.ts';
import { TabMarks } from './tab-marks.ts';
import { TabRequests } from './tab-requests.ts';
import { TabStand } from './tab-stand.ts';
import type { TabMessage, Tabs } from './tabs.ts';
import { WritesOfOthers } from './writes-of-others.ts';

const unknown: ConnectionState = { kind: 'connecting', failures: 0 };
/** A store that could not be read is read again after this time. */
const readAgainMs = 2_000;
/** What comes while the store is being read; past it batches are left to the next reading. */
const maxEarly = 1_000;

/**
 * Several tabs, one store, one connection. One tab leads: it alone writes to the store and talks to the server, and tells the others what
 * it wrote. The others ask it to write, and repeat what it has not answered when another one leads. Repeating is harmless, since writes have ids.
 * Every batch makes the next revision of the store: a tab that has missed one, because a leader died before it could tell, reads the store.
 */
export class TabDriver implements SharedDriver {
  readonly claims: TabClaims;
  readonly #tabs: Tabs;
  readonly #client: TabClient;
  readonly #requests: TabRequests;
  readonly #others: WritesOfOthers;
  readonly #events: TabEvents;
  readonly #marks: TabMarks;
  readonly #stand: TabStand;
  #engine: SyncDriver | undefined;
  #followed: ConnectionState = unknown;
  #isLoaded = false;
  #isClosed = false;
  #wantsConnection: boolean;
  /** What came while the store was being read. */
  #early: TabMessage[] = [];
  /** As the store has it, as far as we know. */
  #meta: MetaRecord | undefined;

  constructor(tabs: Tabs, client: TabClient) {
    this.#tabs = tabs;
    this.#client = client;
    this.#wantsConnection = client.connects;
    this.#requests = new TabRequests(tabs);
    this.#events = new TabEvents(tabs, client.events, () => this.isLeading);
    this.#marks = new TabMarks(tabs);
    this.#stand = new TabStand({
      isDirty: () => client.database.journal.isDirty,
      tellState: () => this.#tellState(),
      tellCaughtUp: () => this.#isClosed || tabs.post({ kind: 'caughtUp' }),
    });
    this.claims = new TabClaims(tabs);
    this.#others = new WritesOfOthers(tabs, client, (id) => this.claims.isHeld(id));
    tabs.listen((message) => this.#heard(message));
    client.subscriptions.watch({
      added: () => this.tellState(),
      // Only the leader's documents go with a subscription; it tells us.
      removed: ({ record }) => this.#engine ?? client.subscriptions.left(record.id),
      stateChanged: () => this.tellState(),
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
    this.#meta = state.meta;
    if (leads) this.#engine = this.#client.makeEngine();
    else void this.#waitToLead();
    return state;
  }

  /** The database holds what was loaded: what came meanwhile can be applied. */
  loaded(): void {
    this.#hearEarly();
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
    if (!isEmptyBatch(own)) await this.#requests.send(own);
  }

  command(command: ConnectionCommand): void {
    this.#wanted(command);
    if (this.#engine) this.#engine.command(command);
    this.#tabs.post({ kind: 'command', command });
  }

  mark(): void {
    if (this.#engine) this.#engine.mark();
    else this.#marks.ask();
  }

  reconcile(): void {
    if (this.#engine) this.#engine.reconcile();
    else this.#tabs.post({ kind: 'command', command: 'reconcile' });
  }

  pump(): void {
    this.#engine?.pump();
  }

  close(): void {
    this.#isClosed = true;
    this.#engine?.close();
    this.#requests.close();
    this.#client.changed();
  }

  /** After the last write: another tab may lead. */
  release(): void {
    this.#tabs.close();
  }

  tellCaughtUp(): void {
    this.#stand.caughtUp();
  }

  /** The engine has moved on. */
  tellState(): void {
    if (this.#engine) this.#stand.changed();
  }

  async #waitToLead(): Promise<void> {
    await this.#tabs.waitToLead();
    // The last leader may have written what it could not tell any more.
    const stored = await this.#read(takeOver);
    if (!stored || this.#isClosed) return;
    this.#startOver();
    this.#engine = this.#client.makeEngine();
    this.#hearEarly();
    this.#start();
    await this.#requests.write(async (batch) => {
      const missing = missingIn(stored, this.#current(batch));
      if (!isEmptyBatch(missing)) await this.#store(missing);
    });
  }

  /** What the stored checkpoint stands for goes on, whatever the last leader told of it. */
  #startOver(): void {
    const { subscriptions } = this.#client;
    subscriptions.reload();
    const covered = subscriptions.coveredIds();
    for (const { record, state } of subscriptions.all()) {
      const kind = covered.has(record.id) ? 'complete' : 'pending';
      if (state.kind !== kind) subscriptions.setState(record.id, { kind });
    }
  }

  /** Resolves with what the store holds; with nothing when the client was closed, or leads, meanwhile. */
  async #read(take: typeof takeState): Promise<StoredState | undefined> {
    const { store, clock, database, subscriptions, events } = this.#client;
    this.#isLoaded = false;
    while (!this.#isClosed) {
      try {
        const state = await store.load();
        if (this.#isClosed || this.#engine) break;
        this.#meta = state.meta;
        take(database, state, this.#requests.batches());
        subscriptions.reload();
        return state;
      } catch (error) {
        const { code, message } = storeError('the local store failed', error);
        events.emit('problem', { code, message, cause: error });
        await new Promise<void>((resolve) => clock.after(readAgainMs, resolve));
      }
    }
    return undefined;
  }

  /** We have missed what was written: the leader has died, most likely. */
  async #catchUp(): Promise<void> {
    if ((await this.#read(takeState)) && !this.#engine) this.#hearEarly();
    this.#client.changed();
  }

  #hearLater(message: TabMessage): void {
    if (message.kind !== 'written' || this.#early.length < maxEarly) this.#early.push(message);
  }

  #hearEarly(): void {
    this.#isLoaded = true;
    // One that finds us behind lets the rest wait again.
    for (const message of this.#early.splice(0)) this.#heard(message);
  }

  #start(): void {
    this.#tabs.post({ kind: 'leading' });
    if (this.#wantsConnection) this.#engine?.command('resume');
    this.#client.changed();
    this.tellState();
  }

  get #revision(): number {
    return this.#meta?.revision ?? 0;
  }

  async #store(batch: WriteBatch): Promise<void> {
    const before = batch.meta ?? this.#meta ?? this.#client.database.meta;
    const numbered = { ...batch, meta: { ...before, revision: this.#revision + 1 } };
    try {
      await this.#stand.writing(() => this.#client.store.write(numbered));
      this.#meta = numbered.meta;
      this.#tabs.post({ kind: 'written', batch: numbered });
    } finally {
      this.#events.tell();
      this.#stand.tell();
    }
  }

  #heard(message: TabMessage): void {
    if (this.#isClosed || this.claims.heard(message)) return;
    if (!this.#isLoaded) this.#hearLater(message);
    else if (this.#engine) this.#heardAsLeader(message);
    else this.#heardAsFollower(message);
  }

  #heardAsLeader(message: TabMessage): void {
    if (message.kind === 'write') void this.#others.take(message);
    else if (message.kind === 'hello') this.tellState();
    else if (message.kind === 'mark') this.#marked(message);
    else if (message.kind === 'command') this.#commanded(message.command);
  }

  #heardAsFollower(message: TabMessage): void {
    const { events, caughtUp } = this.#client;
    if (message.kind === 'written') this.#follow(message);
    else if (message.kind === 'state') this.#takeStand(message);
    else if (message.kind === 'event') events.emit(message.name, message.value as never);
    else if (message.kind === 'marking') this.#marks.heard(message);
    else if (message.kind === 'caughtUp') {
      if (this.#marks.areHeard) caughtUp();
    } else if (message.kind === 'done') this.#answered(message);
    else if (message.kind === 'leading') this.#followAnother();
    else if (message.kind === 'command') this.#wanted(message.command);
  }

  #follow(message: TabMessage & { kind: 'written' }): void {
    const { database, subscriptions, changed } = this.#client;
    const { batch } = message;
    const revision = batch.meta?.revision ?? 0;
    if (revision <= this.#revision) {
      // We have read it. But a write that we were asking for then we have kept, though it was gone.
      this.#forget(batch.deleteEntries);
      return;
    }
    if (revision > this.#revision + 1) {
      void this.#catchUp();
      return;
    }
    this.#meta = batch.meta;
    takeBatch(database, batch);
    subscriptions.reload();
    changed();
  }

  #answered(message: TabMessage & { kind: 'done' }): void {
    if (this.#requests.answered(message)) this.#forget(message.decided);
  }

  /** These writes are decided, and out of the store. */
  #forget(entries: readonly string[]): void {
    const { database, changed } = this.#client;
    database.mutate(() => {
      for (const id of entries) database.outbox.forget(id);
    });
    changed();
  }

  #takeStand({ revision, state, subscriptions }: TabMessage & { kind: 'state' }): void {
    this.#followed = state;
    for (const [id, known] of subscriptions) this.#client.subscriptions.setState(id, known);
    this.#client.changed();
    if (revision > this.#revision) void this.#catchUp();
  }

  /** What there still is to write of it: a write that is known to be settled is not begun again. */
  #current(batch: WriteBatch): WriteBatch {
    const { outbox } = this.#client.database;
    return { ...batch, putEntries: batch.putEntries.flatMap(({ id }) => outbox.get(id) ?? []) };
  }

  #wanted(command: string): void {
    if (command === 'pause' || command === 'resume') this.#wantsConnection = command === 'resume';
  }

  #commanded(command: ConnectionCommand | 'reconcile'): void {
    this.#wanted(command);
    if (command === 'reconcile') this.#engine?.reconcile();
    else this.#engine?.command(command);
  }

  #marked({ tab, mark }: TabMessage & { kind: 'mark' }): void {
    this.#stand.behind();
    this.#engine?.mark();
    this.#tabs.post({ kind: 'marking', tab, mark });
  }

  #followAnother(): void {
    this.#requests.repeat((batch) => this.#current(batch));
    this.#marks.repeat();
  }

  #tellState(): void {
    const { subscriptions } = this.#client;
    const states = subscriptions.all().map((active) => [active.record.id, subscriptions.shown(active)] as const);
    const stand = { revision: this.#revision, state: this.state, subscriptions: states };
    if (!this.#isClosed) this.#tabs.post({ kind: 'state', ...stand });
  }
}

/** For `createClient({ tabs })`: shares the client's store with these tabs. */
export function shareWith(tabs: Tabs): ShareStore {
  return (client) => new TabDriver(tabs, client);
}
