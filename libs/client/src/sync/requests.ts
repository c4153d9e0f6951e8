import type { Cancel, Clock } from '../clock.ts';
import type { SyncSocket } from '../connection/socket.ts';

export interface RequestsOptions {
  readonly clock: Clock;
  readonly socket: SyncSocket;
  readonly requestTimeoutMs: number;
  /** An answer did not come: the connection counts as lost. */
  readonly lost: (message: string) => void;
}

interface SendOptions {
  readonly answered: (answer: unknown) => void;
  /** It may take as long as anything else still comes. */
  readonly isPatient?: boolean;
}

/** Questions over one socket and their answers, with a limit on waiting; and all timers that end with the socket. */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #timers = new Set<Cancel>();
  #lastReceived: number;
  #isOver = false;

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#lastReceived = options.clock.now();
  }

  /** Something came. */
  heard(): void {
    this.#lastReceived = this.#options.clock.now();
  }

  send(event: string, payload: unknown, { answered, isPatient = false }: SendOptions): void {
    const { socket, requestTimeoutMs: timeoutMs } = this.#options;
    let cancel: Cancel = () => {};
    const watch = (ms: number) => {
      cancel = this.after(ms, () => {
        const silentMs = this.#options.clock.now() - this.#lastReceived;
        if (isPatient && silentMs < timeoutMs) watch(Math.max(1, Math.min(timeoutMs, timeoutMs - silentMs)));
        else this.#options.lost(`${event} was not answered within ${timeoutMs} ms`);
      });
    };
    watch(timeoutMs);
    socket.request(event, payload, (answer) => {
      cancel();
      if (this.#isOver) return;
      this.heard();
      answered(answer);
    });
  }

  after(ms: number, run: () => void): Cancel {
    const stop = this.#options.clock.after(ms, () => {
      this.#timers.delete(cancel);
      if (!this.#isOver) run();
    });
    const cancel = () => {
      this.#timers.delete(cancel);
      stop();
    };
    this.#timers.add(cancel);
    return cancel;
  }

  /** No answer and no timer is heard any more. */
  end(): void {
    this.#isOver = true;
    for (const cancel of [...this.#timers]) cancel();
  }
}
