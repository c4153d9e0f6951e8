import { type DocumentId, parseDocumentId } from '@tidemark/protocol';
import { ObjectId, UUID } from 'mongodb';
import { fromBson } from './bson-values.ts';

/** The types of `_id` that can be named by clients. Documents with another `_id` are left alone. */
export type BsonId = string | ObjectId | UUID;

export function toBsonId(id: DocumentId): BsonId {
  if (typeof id === 'string') return id;
  return '$oid' in id ? new ObjectId(id.$oid) : new UUID(id.$uuid);
}

/** Undefined for an `_id` that no client can name. */
export function fromBsonId(value: unknown): DocumentId | undefined {
  return typeof value === 'string' || typeof value === 'object' ? parseDocumentId(fromBson(value)) : undefined;
}
