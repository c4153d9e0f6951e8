import type { JsonObject } from '@tidemark/protocol';
import { BSON } from 'mongodb';
import { fromBson, toBson } from './bson-values.ts';
import { exactTypes } from './read-snapshot.ts';

/**
 * The fields as they are read once they have been written: BSON has one form of each value. The same object when there is no
 * typed value among them. Throws StoreError `invalid`.
 */
export function asStored(fields: JsonObject): JsonObject {
  const stored = toBson(fields);
  if (stored === fields) return fields;
  // The driver has its say too: it makes plain numbers of those that fit.
  const read: unknown = BSON.deserialize(BSON.serialize(stored as BSON.Document), exactTypes);
  return fromBson(read) as JsonObject;
}
