/** What happens to a socket; each is called from the event loop, never inside a call to the socket. */
export interface SocketHandlers {
  opened(): void;
  /** It did not open, or it is gone. Called at most once, not after `close()`. `code` when the server said why. */
  closed(reason: SocketClosed): void;
  received(event: string, args: readonly unknown[]): void;
}

export interface SocketClosed {
  readonly message: string;
  readonly code?: string;
  readonly retryAfterMs?: number;
}

/** One connection to a server: it opens once and closes once. Messages and answers arrive in the order in which they were sent. */
export interface SyncSocket {
  /** Sends an event; `answered` is called at most once. Nothing is kept for later when the socket is not open. */
  request(event: string, payload: unknown, answered: (answer: unknown) => void): void;
  close(): void;
}

export interface SocketRequest {
  readonly url: string;
  readonly token: string | undefined;
}

/** Starts to open a socket. A test passes its own. */
export type SocketFactory = (request: SocketRequest, handlers: SocketHandlers) => SyncSocket;
