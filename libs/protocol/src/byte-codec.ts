/** The largest number of bytes that `writeVarint` makes of a safe integer. */
export const maxVarintBytes = 8;

/** Writes a natural number in groups of seven bits, lowest first; returns the offset behind it. */
export function writeVarint(bytes: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  // Bit operations end at 32 bits; above, a division does the same.
  while (rest > 0x7fffffff) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Thrown by a `ByteReader`; what it reads comes from outside, so this is expected. */
export class MalformedBytes extends Error {}

/** Reads what `writeVarint` and its like wrote, and nothing else: every value has exactly one form. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    const value = this.bytes[this.offset++];
    if (value === undefined) throw new MalformedBytes('the bytes end early');
    return value;
  }

  /** A natural number, at most `max`. */
  varint(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let factor = 1;
    for (let count = 1; count <= maxVarintBytes; count++) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      factor *= 128;
      if (byte > 127) continue;
      if (value > max || (byte === 0 && count > 1)) break;
      return value;
    }
    throw new MalformedBytes('not a number');
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.offset) throw new MalformedBytes('the bytes end early');
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  end(): void {
    if (this.offset !== this.bytes.length) throw new MalformedBytes('bytes are left over');
  }
}
