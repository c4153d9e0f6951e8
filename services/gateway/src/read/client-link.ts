/** The way to one connected client, as the read side sees it. */
export interface ClientLink {
  readonly id: string;
  /** Hands a message to the socket; it is encoded at once. */
  send(event: string, ...args: readonly unknown[]): void;
  /** More than its share of bytes waits for the client to read. */
  isClogged(): boolean;
  /** Resolves when it is no longer clogged, or gone. */
  whenDrained(): Promise<void>;
}

/** Sends one message to many clients, encoded once. */
export type Broadcast = (ids: readonly string[], event: string, ...args: readonly unknown[]) => void;
