import type { Socket } from 'socket.io';
import type { ClientLink } from '../read/client-link.ts';

/** Fewer waiting packets than this are never too much: a message has its own limit. */
const fewPackets = 4;

/** Answers that a client asks for and does not read, in characters. */
const maxUnread = 32 * 1024 * 1024;

/** Engine.IO's packets that wait for the transport; private in its types, stable since its first version. */
interface EngineBuffer {
  readonly writeBuffer: readonly { readonly data?: unknown }[];
}

/** The way to a client over Socket.IO. */
export class SocketLink implements ClientLink {
  readonly id: string;
  private readonly socket: Socket;
  private readonly slowBytes: number;

  constructor(socket: Socket, slowBytes: number) {
    this.id = socket.id;
    this.socket = socket;
    this.slowBytes = slowBytes;
  }

  send(event: string, ...args: readonly unknown[]): void {
    this.socket.emit(event, ...args);
  }

  /** Counts what Engine.IO holds back while the transport is busy; the transport itself holds at most one such load. */
  isClogged(): boolean {
    return this.holdsMoreThan(this.slowBytes);
  }

  /** The client goes on asking without reading the answers; a stream would have waited long ago. */
  isOverfull(): boolean {
    return this.holdsMoreThan(Math.max(maxUnread, this.slowBytes));
  }

  private holdsMoreThan(max: number): boolean {
    const buffer = (this.socket.conn as unknown as EngineBuffer).writeBuffer;
    if (buffer.length < fewPackets) return false;
    let bytes = 0;
    for (const { data } of buffer) {
      bytes += typeof data === 'string' ? data.length : 0;
      if (bytes > max) return true;
    }
    return false;
  }

  whenDrained(): Promise<void> {
    const { conn } = this.socket;
    if (conn.readyState !== 'open' || !this.isClogged()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        conn.off('drain', done);
        conn.off('close', done);
        resolve();
      };
      conn.on('drain', done);
      conn.on('close', done);
    });
  }
}
