import { brandAs, type Epoch, type HistoryId, type Lane, type Seq } from '@tidemark/protocol';
import type { History, LaneEpoch } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { readRow } from './committer.ts';
import type { Environment, RowWrite } from './environment.ts';
import { decodeLaneState, laneStateKey } from './lane-state.ts';

/** Version of everything that the tables hold; a newer one is refused. */
export const formatVersion = 1;

const formatKey = 'format';
const historyKey = 'history';

/** What `prepareHistory` is told. */
export interface HistoryOptions {
  readonly lanes: number;
  readonly newId: () => string;
}

/**
 * The history of the store, made when there is none. Another number of lanes than before begins a new epoch,
 * after every seq of the one before. Throws StoreError `invalid` when the tables have a newer format.
 */
export async function prepareHistory(environment: Environment, options: HistoryOptions): Promise<History> {
  const { meta } = environment.tables;
  assertFormat(readRow(meta, formatKey));
  const stored = readRow(meta, historyKey);
  const history =
    stored === undefined ? newHistory(options) : continued(environment, JSON.parse(stored), options.lanes);
  const row = JSON.stringify(history);
  if (row === stored) return history;
  const writes: RowWrite[] = [
    { table: meta, key: formatKey, value: String(formatVersion) },
    { table: meta, key: historyKey, value: row },
  ];
  await environment.commit(writes);
  return history;
}

function assertFormat(row: string | undefined): void {
  const version = row === undefined ? formatVersion : Number(row);
  if (version === formatVersion) return;
  throw new StoreError('invalid', `the data has format ${row}; this version reads format ${formatVersion}`);
}

function newHistory({ lanes, newId }: HistoryOptions): History {
  const first: LaneEpoch = { epoch: brandAs<Epoch>(1), lanes, base: brandAs<Seq>(0) };
  return { id: brandAs<HistoryId>(newId()), epochs: [first] };
}

function continued(environment: Environment, history: History, lanes: number): History {
  const last = history.epochs.at(-1);
  if (last === undefined || last.lanes === lanes) return history;
  const next: LaneEpoch = { epoch: brandAs<Epoch>(last.epoch + 1), lanes, base: highestHead(environment, last) };
  return { ...history, epochs: [...history.epochs, next] };
}

function highestHead({ tables }: Environment, { epoch, lanes, base }: LaneEpoch): Seq {
  const heads = Array.from({ length: lanes }, (_, lane) => {
    const row = readRow(tables.meta, laneStateKey(epoch, brandAs<Lane>(lane)));
    return decodeLaneState(row, base).head;
  });
  return brandAs<Seq>(Math.max(...heads));
}
