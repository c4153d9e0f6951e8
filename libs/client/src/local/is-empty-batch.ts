import type { WriteBatch } from './records.ts';

/** Whether there is nothing to write. */
export function isEmptyBatch(batch: WriteBatch): boolean {
  return Object.values(batch).flat().length === 0;
}
