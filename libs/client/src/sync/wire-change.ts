import type { ChangeMessage } from '@tidemark/protocol/core';
import type { OutboxEntry } from '../local/records.ts';

type WriteFields = Pick<OutboxEntry, 'id' | 'operation' | 'collection' | 'documentId' | 'data' | 'unset' | 'timestamp'>;

/** A write as it is sent. */
export function wireChange(entry: WriteFields): Omit<ChangeMessage, 'data'> & { readonly data?: unknown } {
  const { id, operation, collection, documentId, data, unset, timestamp } = entry;
  return {
    id,
    operation,
    collection,
    documentId,
    timestamp,
    ...(operation !== 'delete' && { data }),
    ...(unset.length > 0 && { unset: [...unset] }),
  };
}

/** UTF-8 bytes of a value as JSON. */
export function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value);
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // A surrogate is half of four bytes, all others beyond 0x7ff take three.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
