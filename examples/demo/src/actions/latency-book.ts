import type { Client } from '@tidemark/client';

const maxSamples = 60;
const maxOpen = 2_000;

export interface Latencies {
  /** Milliseconds from a write in one pane until the other pane has it, the newest last. */
  readonly samples: readonly number[];
  readonly median: number | undefined;
  readonly p95: number | undefined;
}

export const noLatencies: Latencies = { samples: [], median: undefined, p95: undefined };

/** Measures how long a write takes from the press of a button in one pane to the other pane's store. */
export class LatencyBook {
  readonly #begun = new Map<string, { readonly at: number; readonly by: Client }>();
  readonly #listeners = new Set<() => void>();
  #latencies = noLatencies;
  #telling = false;

  /** Measures what reaches this client from others. */
  watch(client: Client): void {
    client.on('delivered', (changes) => {
      for (const { collection, documentId } of changes) this.#arrived(keyOf(collection, documentId), client);
    });
  }

  /** A write begins. What is written offline is not measured: it waits for a person. */
  begin(by: Client, collection: string, documentId: unknown): void {
    if (!by.status.connected || this.#begun.size >= maxOpen) return;
    this.#begun.set(keyOf(collection, documentId), { at: performance.now(), by });
  }

  /** Who goes offline gets things late, and that is no latency. */
  forget(): void {
    this.#begun.clear();
  }

  readonly snapshot = (): Latencies => this.#latencies;

  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #arrived(key: string, at: Client): void {
    const begun = this.#begun.get(key);
    if (!begun || begun.by === at) return;
    this.#begun.delete(key);
    const samples = [...this.#latencies.samples, performance.now() - begun.at].slice(-maxSamples);
    const sorted = samples.toSorted((a, b) => a - b);
    this.#latencies = { samples, median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) };
    this.#tell();
  }

  /** A burst is one piece of news. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    requestAnimationFrame(() => {
      this.#telling = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}

function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function keyOf(collection: string, documentId: unknown): string {
  return `${collection}/${JSON.stringify(documentId)}`;
}
