import type { Document, UserId } from '@tidemark/protocol/core';
import { brandAs, documentKey } from '@tidemark/protocol/core';
import { emptyBatch } from '../src/local/conformance/empty-batch.ts';
import type { DocumentRecord, WriteBatch } from '../src/local/records.ts';

export const collection = 'tasks';
const author = brandAs<UserId>('user-17');

/** Of about 300 bytes, like those of the server's bench. */
export function newDocument(index: number): Document {
  return {
    _id: `task-${String(index).padStart(6, '0')}`,
    title: `Buy milk, bread and ${index} eggs`,
    description: 'x'.repeat(90),
    done: index % 2 === 0,
    priority: (index * 7919) % 1_000,
    bucket: index % 100,
    tags: ['home', 'shopping'],
    sync_updated_at: 1_700_000_000_000 + index,
    _updated_by: author,
    sync_version: index + 1,
  };
}

export function newDocuments(count: number): readonly Document[] {
  return Array.from({ length: count }, (_, index) => newDocument(index));
}

export function recordOf(document: Document): DocumentRecord {
  return { collection, key: documentKey(document._id), document };
}

/** A batch that writes these documents and nothing else. */
export function batchOf(documents: readonly Document[]): WriteBatch {
  return { ...emptyBatch, putDocuments: documents.map(recordOf) };
}
