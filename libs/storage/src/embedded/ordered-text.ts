/**
 * Text as a string of bytes (each character one byte, 0–255) whose byte order is the order of the text by code unit.
 * ASCII is its own encoding. Other text becomes CESU-8: UTF-8 with surrogates encoded one by one, because in plain UTF-8
 * characters beyond U+FFFF would sort after U+E000–U+FFFF, while JavaScript compares them before.
 */
export function encodeOrdered(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return encodeUnits(text);
  }
  return text;
}

function encodeUnits(text: string): string {
  let bytes = '';
  for (let i = 0; i < text.length; i++) bytes += encodeUnit(text.charCodeAt(i));
  return bytes;
}

function encodeUnit(unit: number): string {
  if (unit < 0x80) return String.fromCharCode(unit);
  const last = 0x80 | (unit & 0x3f);
  if (unit < 0x800) return String.fromCharCode(0xc0 | (unit >> 6), last);
  return String.fromCharCode(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), last);
}

/** The inverse of `encodeOrdered`. */
export function decodeOrdered(bytes: string): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const lead = bytes.charCodeAt(i);
    if (lead < 0x80) text += bytes[i];
    else if (lead < 0xe0) text += String.fromCharCode(((lead & 0x1f) << 6) | low(bytes, ++i));
    else text += String.fromCharCode(((lead & 0x0f) << 12) | (low(bytes, ++i) << 6) | low(bytes, ++i));
  }
  return text;
}

function low(bytes: string, index: number): number {
  return bytes.charCodeAt(index) & 0x3f;
}

/** A whole number ≥ 0 as `width` bytes, most significant first: byte order is numeric order. */
export function encodeNumber(value: number, width: number): string {
  let bytes = '';
  let rest = value;
  for (let i = 0; i < width; i++) {
    bytes = String.fromCharCode(rest % 256) + bytes;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

/** The inverse of `encodeNumber`, of the bytes from `start` to `end`. */
export function decodeNumber(bytes: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 256 + bytes.charCodeAt(i);
  return value;
}
