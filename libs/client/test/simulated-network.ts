import type { SocketFactory, SocketHandlers } from '../src/connection/socket.ts';
import type { SimulatedServer } from './simulated-server.ts';
import { SimulatedStream, type StreamSettings } from './simulated-stream.ts';

/** One connection: messages lie in two queues until the test moves them. */
class Link {
  readonly stream: SimulatedStream;
  readonly #handlers: SocketHandlers;
  readonly #up: (() => void)[] = [];
  readonly #down: (() => void)[] = [];
  #isOpen = false;
  isOver = false;

  constructor(server: SimulatedServer, handlers: SocketHandlers, settings: StreamSettings) {
    this.#handlers = handlers;
    this.stream = new SimulatedStream(server, (event, ...args) => this.send(event, ...args), settings);
    this.#down.push(() => {
      this.#isOpen = true;
      handlers.opened();
    });
  }

  send(event: string, ...args: unknown[]): void {
    const copy = structuredClone(args);
    this.#down.push(() => this.#handlers.received(event, copy));
  }

  request(event: string, payload: unknown, answered: (answer: unknown) => void): void {
    if (!this.#isOpen || this.isOver) return;
    const copy = structuredClone(payload);
    this.#up.push(() => {
      this.stream.received(event, copy, (answer) => {
        const copied = structuredClone(answer);
        this.#down.push(() => answered(copied));
      });
    });
  }

  deliverUp(): boolean {
    const next = this.#up.shift();
    next?.();
    return next !== undefined;
  }

  deliverDown(): boolean {
    const next = this.isOver ? undefined : this.#down.shift();
    next?.();
    return next !== undefined;
  }

  /** What lies in the queues is lost. */
  cut(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#handlers.closed({ message: 'transport close' });
  }
}

/** The way of one client to the server. */
export class SimulatedNetwork {
  readonly #server: SimulatedServer;
  readonly #settings: StreamSettings;
  #link: Link | undefined;
  /** No connection opens. */
  isDown = false;

  constructor(server: SimulatedServer, settings: StreamSettings = { page: 3, maxBatchSize: 4 }) {
    this.#server = server;
    this.#settings = settings;
  }

  get link(): Link | undefined {
    return this.#link?.isOver ? undefined : this.#link;
  }

  readonly factory: SocketFactory = (_request, handlers) => {
    const link = new Link(this.#server, handlers, this.#settings);
    this.#link = link;
    if (this.isDown) queueMicrotask(() => link.cut());
    return {
      request: (event, payload, answered) => link.request(event, payload, answered),
      close: () => {
        link.isOver = true;
      },
    };
  };

  up(): boolean {
    return this.link?.deliverUp() ?? false;
  }

  down(): boolean {
    return this.link?.deliverDown() ?? false;
  }

  stream(): boolean {
    return this.link?.stream.step() ?? false;
  }

  cut(): void {
    this.link?.cut();
  }

  /** Moves everything that can be moved; false when there was nothing. */
  flow(): boolean {
    let moves = 0;
    while (this.up() || this.stream() || this.down()) {
      moves += 1;
      if (moves > 10_000) throw new Error('client and server do not come to rest');
    }
    return moves > 0;
  }
}
