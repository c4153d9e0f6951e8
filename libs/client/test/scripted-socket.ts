import type { SocketFactory, SocketHandlers, SocketRequest } from '../src/connection/socket.ts';

interface Call {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly answer: (answer: unknown) => void;
}

export const limits = { maxBatchSize: 3, maxMessageBytes: 2_000, rateLimitMax: 0, rateLimitWindowMs: 0 };

/** The server's end of a socket, played by a test. */
export class ScriptedSocket {
  readonly opened: SocketRequest[] = [];
  calls: Call[] = [];
  #handlers: SocketHandlers | undefined;

  readonly factory: SocketFactory = (request, handlers) => {
    this.opened.push(request);
    this.#handlers = handlers;
    this.calls = [];
    return {
      request: (event, payload, answer) => this.calls.push({ event, payload: payload as Call['payload'], answer }),
      close: () => {
        if (this.#handlers === handlers) this.#handlers = undefined;
      },
    };
  };

  get isOpen(): boolean {
    return this.#handlers !== undefined;
  }

  open(): void {
    this.#handlers?.opened();
  }

  close(reason: { message: string; code?: string; retryAfterMs?: number } = { message: 'gone' }): void {
    this.#handlers?.closed(reason);
  }

  emit(event: string, ...args: unknown[]): void {
    this.#handlers?.received(event, args);
  }

  /** Takes the next call, which must be this one. */
  take(event: string): Call {
    const call = this.calls.shift();
    if (call?.event !== event) throw new Error(`the client called ${call?.event ?? 'nothing'}, not ${event}`);
    return call;
  }

  /** Opens and accepts the join, as the given user; answers the mark. */
  accept(userId = 'ann', timestamp = 1_700_000_000_000): Call {
    this.open();
    const join = this.take('sync:join');
    const fields = { protocol: 1, historyId: 'h', checkpoint: 'c0', subscriptionVersion: 1, limits };
    join.answer({ success: true, userId, timestamp, ...fields });
    return join;
  }
}

/** The ids of the changes of a batch. */
export function changesOf(call: Call): readonly Readonly<Record<string, unknown>>[] {
  return call.payload.changes as readonly Readonly<Record<string, unknown>>[];
}

/** Acks for the changes of a batch, all alike. */
export function ackAll(
  call: Call,
  fields: Readonly<Record<string, unknown>> = { success: true, outcome: 'applied' },
): void {
  const results = changesOf(call).map(({ id }) => ({ changeId: id, timestamp: 1, ...fields }));
  call.answer({ success: true, results, totalProcessed: results.length, successCount: results.length, latency: 1 });
}
