import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Stands between a store and its server, to break the connection at a chosen moment. Commands are recognised by their
 * name in the bytes: the tests write nothing else that could hold it.
 */
export class BreakingProxy {
  /** Names of the commands that have come, in order. */
  readonly commands: string[] = [];
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  readonly #events = new EventEmitter();
  #loseReplyTo: string | undefined;
  #hold: string | undefined;
  #isCut = false;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  /** A proxy in front of the (single) server of a connection string. */
  static async to(uri: string): Promise<BreakingProxy> {
    const { hostname, port } = new URL(uri);
    const proxy = new BreakingProxy({ host: hostname, port: Number(port) });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get uri(): string {
    return `mongodb://127.0.0.1:${(this.#server.address() as AddressInfo).port}/?directConnection=true`;
  }

  /** The next command of this name reaches the server, but its reply is lost with the connection. */
  loseReplyTo(command: string): void {
    this.#loseReplyTo = command;
  }

  /** Keeps the next command of this name back. Resolves, with the function that lets it go on, when it has come. */
  async hold(command: string): Promise<() => void> {
    this.#hold = command;
    const [release] = (await once(this.#events, 'held')) as [() => void];
    return release;
  }

  /** Ends all connections; new ones are refused until `heal`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#isCut = false;
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    if (this.#isCut) return void client.destroy();
    const server = connect(this.#target);
    let isReplyLost = false;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      this.commands.push(...commandName(chunk));
      if (this.#loseReplyTo !== undefined && chunk.includes(this.#loseReplyTo)) {
        this.#loseReplyTo = undefined;
        isReplyLost = true;
      }
      if (this.#hold === undefined || !chunk.includes(this.#hold)) return void server.write(chunk);
      this.#hold = undefined;
      this.#events.emit('held', () => server.write(chunk));
    });
    server.on('data', (chunk) => (isReplyLost ? client.destroy() : client.write(chunk)));
  }
}

const opMsg = 2013;

/** Of a message that begins with the chunk: header (16 bytes), flags (4), kind (1), length of the document (4), type (1), name. */
function commandName(chunk: Buffer): string[] {
  if (chunk.length < 27 || chunk.readInt32LE(12) !== opMsg) return [];
  return [chunk.toString('utf8', 26, chunk.indexOf(0, 26))];
}
