/** The raw connection below a socket, as far as the size of messages needs it. */
export interface PacketSource {
  on(event: 'packet', listener: (this: object, packet: { type: string; data?: unknown }) => void): unknown;
}

interface Counts {
  /** Events whose first packet has come, and those that were taken. */
  arrived: number;
  taken: number;
  /** Numbers of events that are over the limit and not taken yet. */
  readonly oversized: Set<number>;
}

/** Of Socket.IO: an event, and an event whose binary attachments follow. */
const isEvent = (text: string) => text.startsWith('2') || text.startsWith('5');

/**
 * Tells which events came in messages over the limit. One poll brings many packets, and all are decoded before the first of
 * their events is handled: so events are counted, and the right one is named.
 */
export class MessageSizes {
  private readonly counts = new WeakMap<object, Counts>();
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  watch(source: PacketSource): void {
    const { maxBytes } = this;
    const counts: Counts = { arrived: 0, taken: 0, oversized: new Set() };
    this.counts.set(source, counts);
    source.on('packet', ({ type, data }) => {
      if (type !== 'message' || (typeof data === 'string' && !isEvent(data))) return;
      if (typeof data === 'string') counts.arrived++;
      if (isOver(data, maxBytes)) counts.oversized.add(counts.arrived);
    });
  }

  /** Call it once for each event of the source, in order: is it over the limit? */
  take(source: object): boolean {
    const counts = this.counts.get(source);
    return counts?.oversized.delete(++counts.taken) ?? false;
  }
}

function isOver(data: unknown, maxBytes: number): boolean {
  if (typeof data === 'string') return data.length * 3 > maxBytes && Buffer.byteLength(data) > maxBytes;
  return (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) && data.byteLength > maxBytes;
}
