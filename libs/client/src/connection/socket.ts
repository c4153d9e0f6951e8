/** What happens to a socket; each is called from the event loop, never inside a call to the socket. */
export interface SocketHandlers {
  /** Messages may be sent. */
  opened(): void;
  /** It did not open, or it is gone. Called at most once, not after `close()`. `code` when the server said why. */
  closed(reason: SocketClosed): void;
  /** The server has sent an event. */
  received(event: string, args: readonly unknown[]): void;
}

/** Why a socket is gone. */
export interface SocketClosed {
  /** A sentence for a person. */
  readonly message: string;
  /** Of the server's catalogue, when the server has refused. */
  readonly code?: string;
  /** How long the server wants us to wait, in ms. */
  readonly retryAfterMs?: number;
}

/** One connection to a server: it opens once and closes once. Messages and answers arrive in the order in which they were sent. */
export interface SyncSocket {
  /** Sends an event; `answered` is called at most once. Nothing is kept for later when the socket is not open. */
  request(event: string, payload: unknown, answered: (answer: unknown) => void): void;
  /** Ends the connection, and every call to the handlers. */
  close(): void;
}

/** Where to connect, and as whom. */
export interface SocketRequest {
  /** As in `ClientOptions`. */
  readonly url: string;
  /** For the handshake (`auth.token`). */
  readonly token: string | undefined;
}

/** Starts to open a socket. A test passes its own. */
export type SocketFactory = (request: SocketRequest, handlers: SocketHandlers) => SyncSocket;
