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
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
