import { type DocumentKey, documentIdOf } from '@tidemark/protocol';
import { ObjectId, UUID } from 'mongodb';
import { type BsonId, toBsonId } from './document-ids.ts';

/** Bounds of `_id`. MongoDB compares within one type only, so a bound of a type finds ids of this type. */
export interface IdRange {
  readonly $gte?: BsonId;
  readonly $gt?: BsonId;
  readonly $lte?: BsonId;
}

const firstObjectId = new ObjectId('000000000000000000000000');
const firstUuid = new UUID('00000000-0000-0000-0000-000000000000');
const lastUuid = new UUID('ffffffff-ffff-ffff-ffff-ffffffffffff');

/** All ids that clients can name, in the order of pages: object ids, UUIDs, strings by code point. */
const ranges: readonly IdRange[] = [{ $gte: firstObjectId }, { $gte: firstUuid, $lte: lastUuid }, { $gt: '' }];

function rangeIndex(id: BsonId): number {
  if (typeof id === 'string') return 2;
  return id instanceof ObjectId ? 0 : 1;
}

/** What is left to read after a key, range by range. */
export function rangesAfter(after: DocumentKey | undefined): readonly IdRange[] {
  if (after === undefined) return ranges;
  const id = toBsonId(documentIdOf(after));
  const index = rangeIndex(id);
  return ranges.slice(index).map((range, at) => (at > 0 ? range : rangeAfter(range, id)));
}

/** What is left of a range after one of its ids. */
export function rangeAfter({ $lte }: IdRange, id: BsonId): IdRange {
  return { ...($lte !== undefined && { $lte }), $gt: id };
}
