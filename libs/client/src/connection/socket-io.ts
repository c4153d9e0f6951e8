import { isObject } from '@tidemark/protocol/core';
import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client';
import type { SocketClosed, SocketFactory } from './socket.ts';

/** Socket.IO as the socket. Its own reconnecting is off: the connection machine decides. Options are handed on to Socket.IO. */
export function socketIo(options: Partial<ManagerOptions & SocketOptions> = {}): SocketFactory {
  return ({ url, token }, handlers) => {
    const socket = io(url, {
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      ...options,
      ...(token !== undefined && { auth: { token } }),
      forceNew: true,
      reconnection: false,
      autoConnect: false,
    });
    let isOver = false;
    const end = (reason: SocketClosed) => {
      if (isOver) return;
      isOver = true;
      socket.close();
      handlers.closed(reason);
    };
    socket.on('connect', () => handlers.opened());
    socket.on('connect_error', (error) => end(refusalOf(error)));
    socket.on('disconnect', (reason) => end({ message: reason }));
    socket.onAny((event: string, ...args: unknown[]) => {
      if (!isOver) handlers.received(event, args);
    });
    socket.connect();
    return {
      request(event, payload, answered) {
        if (!isOver) socket.emit(event, payload, (answer: unknown) => isOver || answered(answer));
      },
      close() {
        isOver = true;
        socket.close();
      },
    };
  };
}

/** A middleware of the server refuses with `data: { code, retryAfterMs? }`; a transport fails with a message only. */
function refusalOf(error: Error & { data?: unknown }): SocketClosed {
  const { code, retryAfterMs } = isObject(error.data) ? error.data : {};
  return {
    message: error.message,
    ...(typeof code === 'string' && { code }),
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
  };
}
