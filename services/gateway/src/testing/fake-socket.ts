import { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';

/** One packet on its way to the client, as text: what is sent later does not change what was sent. */
export interface Packet {
  readonly event: string;
  readonly data: string;
}

/** As much of a Socket.IO socket as the gateway touches. Packets wait until the test takes them: a client that reads slowly. */
export class FakeSocket {
  readonly id: string;
  connected = true;
  readonly rooms = new Set<string>();
  readonly conn = Object.assign(new EventEmitter({ captureRejections: false }), {
    writeBuffer: [] as Packet[],
    readyState: 'open',
  });

  constructor(id: string) {
    this.id = id;
    this.conn.setMaxListeners(0);
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  emit(event: string, ...args: readonly unknown[]): boolean {
    if (this.connected) this.conn.writeBuffer.push({ event, data: JSON.stringify(args) });
    return true;
  }

  /** The answer to an event of the client. */
  answer(name: string, answer: unknown): void {
    this.emit(`ack:${name}`, answer);
  }

  async join(room: string): Promise<void> {
    this.rooms.add(room);
  }

  disconnect(): void {
    if (!this.connected) return;
    this.connected = false;
    this.conn.readyState = 'closed';
    this.conn.writeBuffer.length = 0;
    this.conn.emit('close');
  }

  /** The client reads one packet. */
  take(): { event: string; args: unknown[] } | undefined {
    const packet = this.conn.writeBuffer.shift();
    if (packet === undefined) return undefined;
    if (this.conn.writeBuffer.length === 0) this.conn.emit('drain');
    return { event: packet.event, args: JSON.parse(packet.data) as unknown[] };
  }
}
