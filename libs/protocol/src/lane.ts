import { brandAs, type CollectionName, type DocumentKey, type Lane } from './ids.ts';

const prime = 0x01000193;

/**
 * The lane of a document: FNV-1a (32 bit) over the UTF-16 units of collection, NUL, key; then modulo `lanes`.
 * Part of the stored format: a change of it is a change of epoch.
 */
export function laneOf(collection: CollectionName, key: DocumentKey, lanes: number): Lane {
  if (lanes === 1) return brandAs<Lane>(0);
  const hash = feed(Math.imul(feed(0x811c9dc5, collection), prime), key);
  return brandAs<Lane>(hash % lanes);
}

function feed(hash: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), prime);
    hash = Math.imul(hash ^ (unit >>> 8), prime);
  }
  return hash >>> 0;
}
