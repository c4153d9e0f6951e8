import WebSocket from 'ws';

/**
 * A Socket.IO client that parses nothing it does not need: with hundreds of full clients in one process, their parsing and not
 * the server is what a latency would measure. Speaks Engine.IO 4 over WebSocket by hand: 0 open, 2 ping, 40 connect, 42 event, 43 ack.
 */
export class LeanClient {
  private readonly socket: WebSocket;
  private readonly acks = new Map<number, (answer: unknown) => void>();
  private readonly listeners: { readonly prefix: string; readonly listen: (text: string) => void }[] = [];
  private nextAck = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
  }

  static async connect(url: string): Promise<LeanClient> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
    });
    const client = new LeanClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.on('message', (data) => client.receive(String(data), resolve));
    });
    return client;
  }

  /** Calls with the raw text of every event of the name. */
  on(event: string, listen: (text: string) => void): void {
    this.listeners.push({ prefix: `42["${event}"`, listen });
  }

  call(event: string, payload: unknown): Promise<Record<string, unknown>> {
    const id = this.nextAck++;
    this.socket.send(`42${id}${JSON.stringify([event, payload])}`);
    return new Promise((resolve) => this.acks.set(id, (answer) => resolve(answer as Record<string, unknown>)));
  }

  close(): void {
    this.socket.close();
  }

  private receive(text: string, connected: () => void): void {
    if (text.startsWith('42')) {
      for (const { prefix, listen } of this.listeners) if (text.startsWith(prefix)) listen(text);
    } else if (text.startsWith('43')) {
      const bracket = text.indexOf('[');
      const id = Number(text.slice(2, bracket));
      this.acks.get(id)?.((JSON.parse(text.slice(bracket)) as unknown[])[0]);
      this.acks.delete(id);
    } else if (text === '2') {
      this.socket.send('3');
    } else if (text.startsWith('40')) {
      connected();
    } else if (text.startsWith('0')) {
      this.socket.send('40');
    }
  }
}
