import type { Entry, Seq } from '@tidemark/protocol';
import { approximateJsonBytes } from '../approximate-json-bytes.ts';

const maxChunkBytes = 1024 * 1024;

/**
 * The last entries of one lane, in memory, without a gap, so that a reconnect storm is served without the store.
 * Holds at most `maxBytes` by a rough count of its own.
 */
export class RecentEntries {
  /** Undefined where one was dropped. */
  private entries: (Entry | undefined)[] = [];
  private sizes: number[] = [];
  /** Index of the oldest one kept; what lies before is cut off now and then, not at each step. */
  private first = 0;
  private bytes = 0;
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  push(entry: Entry): void {
    const size = approximateBytes(entry);
    this.entries.push(entry);
    this.sizes.push(size);
    this.bytes += size;
    while (this.bytes > this.maxBytes && this.first < this.entries.length) this.dropOldest();
    if (this.first > 1024 && this.first * 2 > this.entries.length) this.compact();
  }

  clear(): void {
    this.entries = [];
    this.sizes = [];
    this.first = 0;
    this.bytes = 0;
  }

  /** Up to `limit` entries that follow `seq`, fewer when they grow large; undefined when they are not all held. */
  after(seq: Seq, limit: number): readonly Entry[] | undefined {
    const oldest = this.entries[this.first];
    if (oldest === undefined || seq < oldest.seq - 1) return undefined;
    const start = this.first + (seq - oldest.seq + 1);
    return this.entries.slice(start, this.endOfChunk(start, limit)) as readonly Entry[];
  }

  /** One message of large documents must not hold hundreds of them for every client that reconnects. */
  private endOfChunk(start: number, limit: number): number {
    const last = Math.min(start + limit, this.entries.length);
    let end = start;
    for (let bytes = 0; end < last && bytes < maxChunkBytes; end++) bytes += this.sizes[end] ?? 0;
    return end;
  }

  private dropOldest(): void {
    this.bytes -= this.sizes[this.first] ?? 0;
    this.entries[this.first] = undefined;
    this.first++;
  }

  private compact(): void {
    this.entries = this.entries.slice(this.first);
    this.sizes = this.sizes.slice(this.first);
    this.first = 0;
  }
}

/** Bytes that an entry keeps alive, roughly: good enough for a bound, cheap enough for every entry. */
export function approximateBytes(entry: Entry): number {
  return (
    256 +
    approximateJsonBytes(entry.before) +
    approximateJsonBytes(entry.after) +
    (entry.data ? approximateJsonBytes(entry.data) : 0)
  );
}
