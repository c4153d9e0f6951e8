import { setTimeout as pause } from 'node:timers/promises';
import type { AckMessage } from '@tidemark/protocol';
import { connectClient, type TestClient } from './client.ts';
import { View } from './view.ts';

export interface RoamingOptions {
  readonly userId: string;
  /** Of the gateways, in the order in which it tries them. */
  readonly urls: () => readonly string[];
  readonly collection: string;
}

/** A change on its way: it is sent with the same id until it is decided. */
interface Pending {
  readonly change: Readonly<Record<string, unknown>> & { readonly id: string };
  readonly decided: (ack: AckMessage) => void;
}

const pauseMs = 100;
const longestPauseMs = 1_000;

/**
 * What every client does that wants to lose nothing: it resends what was not answered, goes to another gateway when its
 * own is gone, and resumes there by its checkpoint. `delivered` and `resets` tell what it was sent.
 */
export class RoamingClient implements AsyncDisposable {
  readonly userId: string;
  readonly view = new View();
  /** How often each change was delivered, by its id. */
  readonly delivered = new Map<string, number>();
  resets = 0;
  connections = 0;
  private readonly options: RoamingOptions;
  private socket: TestClient | undefined;
  private turn: number;
  private closed = false;
  private roaming: Promise<void> = Promise.resolve();
  private joined = Promise.resolve();

  private constructor(options: RoamingOptions, turn: number) {
    this.options = options;
    this.userId = options.userId;
    this.turn = turn;
  }

  /** Connected to the gateway of that number, with everything in the collection. */
  static async start(options: RoamingOptions, gateway: number): Promise<RoamingClient> {
    const client = new RoamingClient(options, gateway);
    client.roaming = client.roam();
    await client.online();
    return client;
  }

  /** Resolves with the decision, whatever happens meanwhile. */
  write(change: Pending['change']): Promise<AckMessage> {
    return new Promise((decided) => void this.send({ change, decided }));
  }

  /** Everything committed before the call has arrived. */
  async mark(): Promise<void> {
    for (;;) {
      const socket = await this.online();
      const answer = await socket.call('sync:mark', {}).catch(() => undefined);
      if (answer?.success) return;
      if (this.closed) throw new Error('the client is closed');
      await pause(pauseMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    this.socket?.close();
    await this.roaming;
    if (this.view.faults.length > 0) throw new Error(`${this.userId}: ${this.view.faults.join('\n')}`);
  }

  /** The socket of a session. */
  private async online(): Promise<TestClient> {
    for (;;) {
      await this.joined;
      if (this.socket?.socket.connected) return this.socket;
      if (this.closed) throw new Error('the client is closed');
      await pause(pauseMs / 4);
    }
  }

  private async roam(): Promise<void> {
    while (!this.closed) {
      let settle: () => void = () => undefined;
      this.joined = new Promise((resolve) => {
        settle = resolve;
      });
      const socket = await this.join().catch(() => undefined);
      this.socket = socket;
      settle();
      if (socket === undefined) {
        this.turn++;
        await pause(pauseMs);
      } else {
        await Promise.race([socket.socket.connected ? gone(socket) : undefined, this.ordered(socket)]);
        socket.close();
        this.turn++;
      }
    }
  }

  /** Resolves when the gateway asks it to leave. */
  private async ordered(socket: TestClient): Promise<void> {
    await new Promise((resolve) => socket.socket.once('sync:drain', resolve));
  }

  private async join(): Promise<TestClient> {
    const { urls, collection } = this.options;
    const all = urls();
    const socket = await connectClient(all[this.turn % all.length] ?? '', { userId: this.userId, view: this.view });
    try {
      socket.socket.on('sync:changes', (messages: readonly { readonly id: string }[]) => {
        for (const { id } of messages) this.delivered.set(id, (this.delivered.get(id) ?? 0) + 1);
      });
      socket.socket.on('sync:reset', () => {
        this.resets++;
      });
      const checkpoint = this.view.checkpoint;
      const subscriptions = [{ collection, id: 's' }];
      await socket.join({ protocol: 1, subscriptions, ...(checkpoint !== undefined && { checkpoint }) });
      this.connections++;
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  private async send(pending: Pending): Promise<void> {
    for (let attempt = 1; !this.closed; attempt++) {
      const socket = await this.online().catch(() => undefined);
      const ack = await socket?.call('sync:change', pending.change).catch(() => undefined);
      if (ack !== undefined && isDecided(ack)) return pending.decided(ack);
      await pause(Math.min(ack?.retryAfterMs ?? pauseMs * attempt, longestPauseMs));
    }
  }
}

/** Not one of those that a client sends again. */
function isDecided({ outcome, code }: AckMessage): boolean {
  return outcome !== 'rejected' || !['unavailable', 'overloaded', 'rate_limited', 'internal'].includes(String(code));
}

function gone(client: TestClient): Promise<void> {
  return new Promise((resolve) => client.socket.once('disconnect', () => resolve()));
}
