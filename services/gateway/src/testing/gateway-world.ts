import { setImmediate as turn } from 'node:timers/promises';
import { type Authenticator, createConnectionCounter, createRules, type Rules } from '@tidemark/access';
import { brandAs, type CollectionName, type Document, type Position, type UserId } from '@tidemark/protocol';
import { and, bindQuery, compile, type Json, parseQuery } from '@tidemark/rql';
import { silentTelemetry, type Telemetry } from '@tidemark/telemetry';
import { getChangesDoor } from '../doors/get-changes-door.ts';
import { SessionDoors } from '../doors/session-doors.ts';
import { Subscribing } from '../doors/subscribing.ts';
import { subscriptionDoors } from '../doors/subscription-doors.ts';
import { ReadSide } from '../read/read-side.ts';
import type { GatewaySettings } from '../settings.ts';
import { Connection } from '../socket/connection.ts';
import { Dispatcher } from '../socket/dispatcher.ts';
import { TokenReader } from '../socket/handshake.ts';
import { FakeSocket } from './fake-socket.ts';
import { FeedNetwork, type NetworkHabits } from './feed-network.ts';
import { MemoryHistory, type Write } from './memory-history.ts';
import { Random } from './random.ts';
import { testSettings } from './settings.ts';

export interface WorldOptions {
  readonly seed?: number;
  readonly lanes?: number;
  readonly rules?: Rules;
  readonly habits?: NetworkHabits;
  /** Reads of the store take up to so many turns of the event loop, before and after they look. */
  readonly slowness?: number;
  readonly settings?: Partial<GatewaySettings>;
  readonly authenticator?: Authenticator;
  /** What the store holds before the gateway opens it. */
  readonly past?: (history: MemoryHistory) => void;
}

export interface FilterSpec {
  readonly collection: string;
  readonly filter?: string;
  readonly args?: readonly Json[];
}

const noFaults: NetworkHabits = { drop: 0, twice: 0, swap: 0 };
const noTokens: Authenticator = {
  configured: false,
  verify: () => Promise.reject(new Error('no token was expected')),
} as unknown as Authenticator;

/**
 * The real reading half of a gateway, from the socket's events to what is sent, over a store, a feed and sockets that the
 * test holds in its hand.
 */
export class GatewayWorld {
  readonly random: Random;
  readonly history: MemoryHistory;
  readonly network: FeedNetwork;
  readonly telemetry: Telemetry = silentTelemetry();
  readonly rules: Rules;
  readonly settings: GatewaySettings;
  readonly read: ReadSide;
  private readonly options: WorldOptions;
  private readonly connections = new Map<string, Connection>();
  private dispatcher: Dispatcher | undefined;
  private sockets = 0;

  constructor(options: WorldOptions = {}) {
    this.options = options;
    this.random = new Random(options.seed ?? 1);
    const delay = () => this.turns(this.random.int((options.slowness ?? 0) + 1));
    this.history = new MemoryHistory({ lanes: options.lanes ?? 1, delay });
    options.past?.(this.history);
    this.network = new FeedNetwork(this.random, options.habits ?? noFaults);
    this.rules = options.rules ?? createRules(undefined, { production: false });
    this.settings = testSettings(options.settings);
    this.read = new ReadSide({
      store: this.history,
      bus: this.network,
      telemetry: this.telemetry,
      broadcast: (ids, event, ...args) => {
        for (const id of ids) this.connections.get(id)?.socket.emit(event, ...args);
      },
      settings: this.settings,
      now: () => Date.now(),
      pause: () => this.turns(3),
    });
  }

  async start(): Promise<void> {
    await this.read.start();
    this.dispatcher = this.createDispatcher();
  }

  async stop(): Promise<void> {
    for (const connection of [...this.connections.values()]) this.close(connection);
    await this.read.stop();
  }

  /** A socket that has connected and not joined. */
  connect(): { socket: FakeSocket; connection: Connection } {
    const socket = new FakeSocket(`socket${++this.sockets}`);
    const { slowClientBytes } = this.settings;
    const connection = new Connection(socket.asSocket, { identity: undefined, slowClientBytes, now: 0 });
    this.connections.set(socket.id, connection);
    return { socket, connection };
  }

  close(connection: Connection): void {
    if (!this.connections.delete(connection.id)) return;
    connection.socket.disconnect(true);
    if (connection.wildcard !== undefined) this.read.closeWildcard(connection.wildcard);
    connection.close();
  }

  /** The client sends an event; the answer comes back through the socket as `ack:<name>`. */
  send(connection: Connection, event: { name: string; payload: unknown; ack: string }): void {
    const socket = connection.socket as unknown as FakeSocket;
    const callback = (answer: unknown) => socket.answer(event.ack, answer);
    const { name, payload } = event;
    void this.dispatcher?.dispatch(connection, { name, payload: clone(payload), callback, oversized: false });
  }

  commit(write: Write): void {
    const entry = this.history.commit(write);
    if (entry !== undefined) this.network.publish(entry);
  }

  /** Everything that was published or is in the log arrives. */
  flush(): void {
    while (!this.network.isEmpty) this.network.step();
    this.network.beat(this.history.position());
  }

  async turns(count: number): Promise<void> {
    for (let index = 0; index < count; index++) await turn();
  }

  /** What a subscription of the user sees of a document. */
  viewOf(userId: string, { collection, filter, args }: FilterSpec): (document: Document) => boolean {
    const author = { userId: brandAs<UserId>(userId), claims: { sub: userId } };
    const asked = bindQuery(parseQuery(filter ?? ''), { args: args ?? [] });
    return compile(and(asked, this.rules.readQuery(brandAs<CollectionName>(collection), author)));
  }

  /** The documents that the subscriptions see at a position, by collection and id. */
  view(userId: string, filters: readonly FilterSpec[], position: Position): Map<string, Document> {
    const views = filters.map((spec) => ({ prefix: `${spec.collection}/`, sees: this.viewOf(userId, spec) }));
    const seen = [...this.history.stateAt(position)].filter(([key, document]) =>
      views.some(({ prefix, sees }) => key.startsWith(prefix) && sees(document)),
    );
    return new Map(seen);
  }

  private createDispatcher(): Dispatcher {
    const { telemetry, rules, settings } = this;
    const parts = this.read.parts();
    const now = () => Date.now();
    const subscribing = new Subscribing({ ...parts, rules, settings });
    const session = new SessionDoors({
      ...parts,
      tokens: new TokenReader({
        authenticator: this.options.authenticator ?? noTokens,
        telemetry,
        development: settings.development,
      }),
      rules,
      perUser: createConnectionCounter({ max: settings.maxConnectionsPerUser }),
      subscribing,
      telemetry,
      settings,
      now,
    });
    const doors = {
      ...session.doors(),
      ...subscriptionDoors({ subscribing, telemetry, now }),
      'sync:get_changes': getChangesDoor(parts.pages, subscribing),
    };
    return new Dispatcher({ doors, joinSilently: (connection) => session.joinSilently(connection), telemetry, now });
  }
}

function clone(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
