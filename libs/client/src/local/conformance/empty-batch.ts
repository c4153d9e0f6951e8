import type { WriteBatch } from '../records.ts';

/** A batch that writes nothing: a test spreads it and adds what it is about. */
export const emptyBatch: WriteBatch = {
  putDocuments: [],
  deleteDocuments: [],
  putEntries: [],
  deleteEntries: [],
  putSubscriptions: [],
  deleteSubscriptions: [],
};
