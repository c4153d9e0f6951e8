import type { ChangeMessage } from '@tidemark/protocol/core';
import type { OutboxEntry } from '../local/records.ts';

type WriteFields = Pick<OutboxEntry, 'id' | 'operation' | 'collection' | 'documentId' | 'data' | 'unset' | 'timestamp'>;

/** A write as it is sent; JSON leaves out what is undefined. */
export function wireChange(
  entry: WriteFields,
): Omit<ChangeMessage, 'data' | 'unset'> & { readonly data: unknown; readonly unset: string[] | undefined } {
  const { id, operation, collection, documentId, data, unset, timestamp } = entry;
  return {
    id,
    operation,
    collection,
    documentId,
    timestamp,
    data: operation === 'delete' ? undefined : data,
    unset: unset.length > 0 ? [...unset] : undefined,
  };
}

/** UTF-8 bytes of a value as JSON. */
export function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
