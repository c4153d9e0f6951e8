import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Authenticator, ConnectionCounter, RateLimiter, Rules } from '@tidemark/access';
import type { GatewayId, Millis } from '@tidemark/protocol';
import type { Store } from '@tidemark/storage';
import type { Health, Telemetry } from '@tidemark/telemetry';
import type { Bus, JobQueue } from '@tidemark/transport';
import type { Express } from 'express';
import type { ServerOptions } from 'socket.io';
import { changeDoors } from './doors/change-doors.ts';
import { getChangesDoor } from './doors/get-changes-door.ts';
import { SessionDoors } from './doors/session-doors.ts';
import { Subscribing } from './doors/subscribing.ts';
import { subscriptionDoors } from './doors/subscription-doors.ts';
import { Writing } from './doors/writing.ts';
import { Census } from './http/census.ts';
import { createHttpApp } from './http/http-app.ts';
import { OpenSockets } from './http/open-sockets.ts';
import { Operator } from './http/operator.ts';
import { RestChange } from './http/rest-change.ts';
import { RestIdentity } from './http/rest-identity.ts';
import { countOf, Statistics } from './http/statistics.ts';
import { currentEpoch } from './read/feed.ts';
import { ReadSide } from './read/read-side.ts';
import type { GatewaySettings } from './settings.ts';
import type { Connection } from './socket/connection.ts';
import { Dispatcher } from './socket/dispatcher.ts';
import { TokenReader } from './socket/handshake.ts';
import { SyncServer } from './socket/sync-server.ts';
import { Changes } from './write/changes.ts';

export interface GatewayDeps {
  readonly id: GatewayId;
  readonly store: Store;
  readonly queue: JobQueue;
  readonly bus: Bus;
  readonly rules: Rules;
  readonly authenticator: Authenticator;
  /** Undefined: no limit. */
  readonly rateLimiter: RateLimiter | undefined;
  readonly perUser: ConnectionCounter;
  readonly perAddress: ConnectionCounter;
  readonly health: Health;
  readonly telemetry: Telemetry;
  readonly settings: GatewaySettings;
  /** Of a fleet: carries operators' orders to all gateways. The feed does not go through it. */
  readonly adapter?: ServerOptions['adapter'];
  /** Of a fleet: the number of lanes was changed, so this gateway must end and be started again. */
  readonly onOutdated?: () => void;
  readonly now?: () => Millis;
  readonly random?: () => number;
}

const drainSpreadMs = 3_000;
/** What clients and requests get to end by themselves when the gateway stops. */
const closeGraceMs = 1_000;

/** A gateway: what clients talk to. `listen`, then `drain` and `stop`, each safe to call twice. */
export class Gateway {
  private readonly deps: GatewayDeps;
  private readonly now: () => Millis;
  private readonly tokens: TokenReader;
  private readonly http: HttpServer = createServer();
  private readonly sockets = new OpenSockets(this.http);
  private readonly read: ReadSide;
  private readonly changes: Changes;
  private readonly sync: SyncServer;
  private readonly app: Express;
  private ending: Promise<void> | undefined;

  constructor(deps: GatewayDeps) {
    this.deps = deps;
    this.now = deps.now ?? Date.now;
    const { settings } = deps;
    this.tokens = new TokenReader({ ...deps, development: settings.development });
    // Before Socket.IO: it takes its own path out of what the listeners at that time are given.
    this.http.on('request', (request, response) => this.app(request, response));
    this.sync = new SyncServer({
      ...deps,
      http: this.http,
      tokens: this.tokens,
      now: this.now,
      onClosed: (connection) => this.closed(connection),
    });
    this.read = new ReadSide({
      ...deps,
      now: this.now,
      pause: (ms) => pause(ms, undefined, { ref: false }),
      broadcast: (ids, event, ...args) => void this.sync.io.local.to([...ids]).emit(event, ...args),
    });
    const epoch = currentEpoch(deps.store.history);
    this.changes = new Changes({ ...deps, gateway: deps.id, epoch });
    this.app = this.createApp();
  }

  /** Resolves with the port when clients may connect. */
  async listen(port: number, host: string): Promise<number> {
    await this.read.start();
    await this.changes.start();
    this.sync.start(this.createDispatcher());
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(port, host, () => {
        this.http.off('error', reject);
        resolve();
      });
    });
    return (this.http.address() as AddressInfo).port;
  }

  /** Sends clients away and waits, at most `timeoutMs`, until they had the time to leave and what they have begun is answered. */
  async drain(timeoutMs: Millis): Promise<void> {
    this.deps.health.startDraining();
    this.sync.announceDrain(drainSpreadMs, this.deps.random ?? Math.random);
    const begun = this.now();
    const passed = () => this.now() - begun;
    const mayLeave = () => passed() < drainSpreadMs && this.sync.connections.size > 0;
    while (passed() < timeoutMs && (this.isBusy() || mayLeave())) await pause(20);
  }

  stop(): Promise<void> {
    this.ending ??= this.end();
    return this.ending;
  }

  private async end(): Promise<void> {
    const closed = this.sync.stop();
    await Promise.race([closed, pause(closeGraceMs, undefined, { ref: false })]);
    this.sockets.destroy();
    await closed;
    await this.read.stop();
    await this.changes.stop();
  }

  private isBusy(): boolean {
    if (this.changes.pending > 0) return true;
    for (const connection of this.sync.connections.values()) if (connection.busy > 0) return true;
    return false;
  }

  private createDispatcher(): Dispatcher {
    const { telemetry, rules, settings } = this.deps;
    const { now } = this;
    const subscribing = new Subscribing({ ...this.read.parts(), rules, settings });
    const session = new SessionDoors({ ...this.deps, ...this.read.parts(), tokens: this.tokens, subscribing, now });
    const doors = {
      ...session.doors(),
      ...changeDoors(this.createWriting()),
      ...subscriptionDoors({ subscribing, telemetry, now }),
      'sync:get_changes': getChangesDoor(this.read.parts().pages, subscribing),
    };
    return new Dispatcher({ doors, joinSilently: (connection) => session.joinSilently(connection), telemetry, now });
  }

  private createWriting(): Writing {
    return new Writing({ ...this.deps, changes: this.changes, now: this.now });
  }

  private createApp(): Express {
    const { now, changes, deps, tokens } = this;
    const { connections } = this.sync;
    const identity = new RestIdentity({ tokens, settings: deps.settings, now });
    const change = new RestChange({ identity, writing: this.createWriting(), rules: deps.rules });
    const operator = new Operator(this.sync.io, deps.bus);
    const ownCount = () => countOf(connections, changes.pending);
    const census = new Census({ io: this.sync.io, isFleet: deps.adapter !== undefined, ownCount });
    const statistics = new Statistics({ ...deps, census });
    return createHttpApp({
      ...deps,
      tokens,
      identity,
      change,
      statistics,
      operator,
      connectionCount: () => connections.size,
      now,
    });
  }

  private closed(connection: Connection): void {
    if (connection.wildcard !== undefined) this.read.closeWildcard(connection.wildcard);
    connection.close();
    if (connection.session !== undefined) this.deps.telemetry.metrics.sessions.dec();
  }
}

export function createGateway(deps: GatewayDeps): Gateway {
  return new Gateway(deps);
}
