import type { DocumentId, Millis, Operation } from '@tidemark/protocol/core';
import type { Client } from '../client.ts';
import type { ClientProblem, CompensatedWrite } from '../events.ts';

export interface RecordedChange {
  readonly id: string;
  /** When it arrived here. */
  readonly at: Millis;
  readonly operation: Operation;
  readonly collection: string;
  readonly documentId: DocumentId;
  readonly userId: string | null;
  /** From the write, by its author's clock, to here. Clocks that differ, and changes written offline, show in it. */
  readonly latencyMs: Millis;
}

export interface RecordedLoss {
  readonly at: Millis;
  readonly write: CompensatedWrite;
}

export interface RecorderOptions {
  readonly now?: () => Millis;
  /** Most changes, and most losses, that are remembered; 100 by default. */
  readonly limit?: number;
  /** Something may have changed. */
  readonly changed?: () => void;
}

/** Remembers what happened to a client lately, the newest first. Starts at once. */
export class Recorder {
  readonly #client: Client;
  readonly #now: () => Millis;
  readonly #limit: number;
  readonly #ends: readonly (() => void)[];
  #changes: readonly RecordedChange[] = [];
  #losses: readonly RecordedLoss[] = [];
  #problem: ClientProblem | undefined;

  constructor(client: Client, { now = Date.now, limit = 100, changed = () => {} }: RecorderOptions = {}) {
    this.#client = client;
    this.#now = now;
    this.#limit = limit;
    this.#ends = [...this.#record(changed), client.on('status', changed), client.on('settled', changed)];
  }

  get changes(): readonly RecordedChange[] {
    return this.#changes;
  }

  get losses(): readonly RecordedLoss[] {
    return this.#losses;
  }

  /** The last problem that no promise reported. */
  get problem(): ClientProblem | undefined {
    return this.#problem;
  }

  stop(): void {
    for (const end of this.#ends) end();
  }

  *#record(changed: () => void): Generator<() => void> {
    yield this.#client.on('delivered', (delivered) => {
      const at = this.#now();
      const recorded = delivered
        .slice(-this.#limit)
        .map(({ id, timestamp, operation, collection, documentId, userId }) => {
          return { id, at, operation, collection, documentId, userId, latencyMs: Math.max(0, at - timestamp) };
        });
      this.#changes = [...recorded.reverse(), ...this.#changes].slice(0, this.#limit);
      changed();
    });
    yield this.#client.on('compensated', (write) => {
      this.#losses = [{ at: this.#now(), write }, ...this.#losses].slice(0, this.#limit);
      changed();
    });
    yield this.#client.on('problem', (problem) => {
      this.#problem = problem;
      changed();
    });
  }
}
