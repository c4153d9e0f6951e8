import { brandAs, type Millis, type Seq } from '@tidemark/protocol';
import type { TrimRequest } from '../port.ts';
import type { Database, LaneRow } from './database.ts';
import { entryRowId, supersededBefore } from './log-ids.ts';

interface Trimmed {
  readonly trimmed: number;
  readonly done: boolean;
}

/**
 * Each step first says that rows are gone and then removes them: a reader in between is told `trimmed`, never shown a gap,
 * and what a crash leaves behind goes with the next step.
 */
export async function trimLog(database: Database, { before, limit }: TrimRequest): Promise<Trimmed> {
  let left = limit;
  let done = true;
  const steps = [
    ...(await database.lanes.find().sort({ epoch: 1, lane: 1 }).toArray()).map(
      (lane) => (n: number) => trimLane(database, lane, { before, limit: n }),
    ),
    (n: number) => trimSuperseded(database, before, n),
    (n: number) => trimTides(database, before, n),
  ];
  for (const step of steps) {
    if (left <= 0) return { trimmed: limit, done: false };
    const result = await step(left);
    left -= result.trimmed;
    done &&= result.done;
  }
  return { trimmed: limit - left, done };
}

async function trimLane(database: Database, lane: LaneRow, { before, limit }: TrimRequest): Promise<Trimmed> {
  const { epoch } = lane;
  const first = entryRowId(epoch, lane.lane, brandAs<Seq>(0));
  const tail = await database.log
    .find({ _id: { $gt: entryRowId(epoch, lane.lane, lane.trimmed), $lte: entryRowId(epoch, lane.lane, lane.head) } })
    .project<{ readonly seq: Seq; readonly committedAt: Millis }>({ _id: 0, seq: 1, committedAt: 1 })
    .sort({ _id: 1 })
    .limit(limit)
    .toArray();
  const young = tail.findIndex(({ committedAt }) => committedAt >= before);
  const old = young < 0 ? tail.length : young;
  const upTo = tail[old - 1]?.seq ?? lane.trimmed;
  if (upTo > lane.trimmed) await database.lanes.updateOne({ _id: lane._id }, { $max: { trimmed: upTo } });
  await database.log.deleteMany({ _id: { $gte: first, $lte: entryRowId(epoch, lane.lane, upTo) } });
  await database.tombstones.deleteMany({ epoch, lane: lane.lane, seq: { $lte: upTo } });
  return { trimmed: old, done: young >= 0 || tail.length < limit };
}

async function trimSuperseded(database: Database, before: Millis, limit: number): Promise<Trimmed> {
  const rows = await database.log
    .find({ _id: supersededBefore(before) })
    .project<{ readonly _id: string }>({ _id: 1 })
    .limit(limit)
    .toArray();
  if (rows.length > 0) await database.log.deleteMany({ _id: { $in: rows.map(({ _id }) => _id) } });
  return { trimmed: rows.length, done: rows.length < limit };
}

/** The newest of the old tides stays: it stands for all times up to the first one that is kept. */
async function trimTides(database: Database, before: Millis, limit: number): Promise<Trimmed> {
  const newest = await database.tides.findOne({ _id: { $lt: before } }, { sort: { _id: -1 } });
  if (newest === null) return { trimmed: 0, done: true };
  const rows = await database.tides
    .find({ _id: { $lt: newest._id } })
    .sort({ _id: 1 })
    .limit(limit)
    .toArray();
  const last = rows.at(-1);
  if (last) await database.tides.deleteMany({ _id: { $lte: last._id } });
  return { trimmed: rows.length, done: rows.length < limit };
}
