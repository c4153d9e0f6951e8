import type { Entry, Epoch, Seq } from '@tidemark/protocol';
import type { LaneHead, LogRead } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { type Database, type LogRow, laneRowId } from './database.ts';
import { readEntryRow } from './entry-rows.ts';
import { entryRowId } from './log-ids.ts';
import { exactTypes } from './read-snapshot.ts';

export async function readHeads(database: Database, epoch: Epoch): Promise<readonly LaneHead[]> {
  const rows = await database.lanes.find({ epoch }).sort({ lane: 1 }).toArray();
  if (rows.length === 0) throw new StoreError('stale_epoch', `this history has no epoch ${epoch}`);
  return rows.map(({ lane, head, trimmed }) => ({ lane, head, trimmed }));
}

/**
 * One answer of the server: at most 16 MB, at least one entry. What follows a missing entry is not returned.
 * Throws StoreError `trimmed` when the entry after `read.after` once was and is no longer.
 */
export async function readLog(database: Database, read: LogRead): Promise<readonly Entry[]> {
  const entries = await readRows(database, read);
  if (entries.length > 0) return entries;
  const lane = await database.lanes.findOne({ _id: laneRowId(read.epoch, read.lane) });
  if (lane === null) throw new StoreError('stale_epoch', `epoch ${read.epoch} has no lane ${read.lane}`);
  if (lane.head <= read.after) return [];
  if (lane.trimmed > read.after) throw trimmed(read);
  // The entries may have been committed between the two reads; if not, somebody else has removed them.
  const again = await readRows(database, read);
  if (again.length === 0) throw trimmed(read);
  return again;
}

function trimmed({ epoch, lane, after }: LogRead): StoreError {
  return new StoreError('trimmed', `the log of lane ${lane} in epoch ${epoch} no longer holds what follows ${after}`);
}

const lastSeq = Number.MAX_SAFE_INTEGER as Seq;

async function readRows(database: Database, { epoch, lane, after, limit }: LogRead): Promise<readonly Entry[]> {
  const between = { $gt: entryRowId(epoch, lane, after), $lte: entryRowId(epoch, lane, lastSeq) };
  const rows = await database.log
    .find({ _id: between }, { sort: { _id: 1 }, limit, singleBatch: true, batchSize: limit, ...exactTypes })
    .toArray();
  return withoutGap(rows, after);
}

function withoutGap(rows: readonly LogRow[], after: Seq): readonly Entry[] {
  const entries: Entry[] = [];
  for (const row of rows) {
    const entry = readEntryRow(row);
    if (entry?.seq !== after + entries.length + 1) break;
    entries.push(entry);
  }
  return entries;
}
