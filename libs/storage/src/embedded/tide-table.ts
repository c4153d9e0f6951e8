import type { Millis } from '@tidemark/protocol';
import type { Job } from './committer.ts';
import type { Tables } from './environment.ts';
import { timeOfRow, timeRowKey } from './keys.ts';

/** The job that records a checkpoint token for a time, unless that time has one. */
export function recordTideJob(tables: Tables, time: Millis, token: string): Job<boolean> {
  const key = timeRowKey(time);
  return {
    weight: 1,
    run(view) {
      if (view.get(tables.tides, key) !== undefined) return { writes: [], result: false };
      return { writes: [{ table: tables.tides, key, value: token }], result: true };
    },
  };
}

export function findTide(tables: Tables, time: Millis): { readonly time: Millis; readonly token: string } | undefined {
  const [row] = tables.tides.getRange({ start: timeRowKey(time), end: '\u0000', reverse: true, limit: 1 });
  return row && { time: timeOfRow(row.key), token: row.value };
}
