import type { Document } from '@tidemark/protocol';

const smallest = 8;
const targetBytes = 256 * 1024;

/** How many documents the next page may hold, so that a page stays near a quarter of a megabyte whatever their size. */
export class PageSize {
  private readonly largest: number;
  current: number;

  constructor(largest: number) {
    this.largest = largest;
    this.current = Math.min(largest, 128);
  }

  /** Learns from a page that was read. */
  observe(documents: readonly Document[]): void {
    if (documents.length === 0) return;
    const sample = documents.slice(0, 16);
    const bytes = JSON.stringify(sample).length / sample.length;
    this.current = Math.max(smallest, Math.min(this.largest, Math.floor(targetBytes / bytes), this.current * 4));
  }
}
