import { randomUUID } from 'node:crypto';
import { brandAs, type Epoch, type HistoryId, type Lane, type Seq } from '@tidemark/protocol';
import type { ClientSession } from 'mongodb';
import type { History, LaneEpoch } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { type Database, type HistoryRow, type LaneRow, laneRowId } from './database.ts';
import { runTransaction } from './run-transaction.ts';
import { translateOwnWrite } from './translate-error.ts';

/** Version of what we store. A newer one is not opened; an older one would be migrated here. */
const format = 1;

export interface LaneChoice {
  readonly lanes: number;
  /** A stored number of lanes stays, whatever `lanes` says. */
  readonly keepStored: boolean;
}

/**
 * The history of the database, made when there is none. A number of lanes other than the stored one closes the current
 * epoch and begins the next, in one transaction, so that nobody commits to the old one afterwards.
 */
export function openHistory(database: Database, choice: LaneChoice): Promise<History> {
  return runTransaction(database.client, async (session) => {
    try {
      return await readOrBegin(database, session, choice);
    } catch (error) {
      throw translateOwnWrite(error);
    }
  });
}

async function readOrBegin(
  database: Database,
  session: ClientSession,
  { lanes, keepStored }: LaneChoice,
): Promise<History> {
  const row = await database.meta.findOne<HistoryRow>({ _id: 'history' }, { session });
  if (row === null) return begin(database, session, lanes);
  if (row.format > format) {
    throw new StoreError(
      'invalid',
      `the database was written by a newer version (format ${row.format}, this one knows ${format})`,
    );
  }
  const current = row.epochs.at(-1);
  if (current?.lanes === lanes || (keepStored && current !== undefined))
    return { id: row.historyId, epochs: row.epochs };
  return nextEpoch(database, session, { row, lanes });
}

async function begin(database: Database, session: ClientSession, lanes: number): Promise<History> {
  const first: LaneEpoch = { epoch: brandAs<Epoch>(1), lanes, base: brandAs<Seq>(0) };
  const id = brandAs<HistoryId>(randomUUID());
  await database.meta.insertOne({ _id: 'history', historyId: id, format, epochs: [first] }, { session });
  await database.lanes.insertMany(laneRows(first), { session });
  return { id, epochs: [first] };
}

interface Change {
  readonly row: HistoryRow;
  readonly lanes: number;
}

async function nextEpoch(database: Database, session: ClientSession, { row, lanes }: Change): Promise<History> {
  const last = Math.max(0, ...row.epochs.map(({ epoch }) => epoch));
  const stored = await database.lanes.find({ epoch: brandAs<Epoch>(last) }, { session }).toArray();
  const base = brandAs<Seq>(Math.max(0, ...stored.map(({ head }) => head)));
  const next: LaneEpoch = { epoch: brandAs<Epoch>(last + 1), lanes, base };
  const epochs = [...row.epochs, next];
  await database.lanes.updateMany({ epoch: brandAs<Epoch>(last) }, { $set: { closed: true } }, { session });
  await database.meta.updateOne({ _id: 'history' }, { $set: { epochs } }, { session });
  await database.lanes.insertMany(laneRows(next), { session });
  return { id: row.historyId, epochs };
}

function laneRows({ epoch, lanes, base }: LaneEpoch): LaneRow[] {
  return Array.from({ length: lanes }, (_, index) => {
    const lane = brandAs<Lane>(index);
    return { _id: laneRowId(epoch, lane), epoch, lane, head: base, trimmed: base, fence: 0, closed: false };
  });
}
