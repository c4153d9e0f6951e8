import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** The connections of a server. Upgraded ones too, which the server itself forgets and yet waits for when it closes. */
export class OpenSockets {
  private readonly sockets = new Set<Socket>();

  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  destroy(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
