import { brandAs, encodeCheckpoint, type Lane, type Seq } from '@tidemark/protocol';
import type { CommitStore, History, LaneEpoch, LogStore, TideStore } from '@tidemark/storage';

export interface TideKeeperDeps {
  readonly store: Pick<LogStore, 'heads'> & TideStore & CommitStore & { readonly history: History };
  readonly now: () => number;
}

/**
 * Keeps the tide table: which position belongs to which time, for clients that know only timestamps.
 * A row is written when history has moved since the last one.
 */
export class TideKeeper {
  private readonly deps: TideKeeperDeps;
  private last: string | undefined;

  constructor(deps: TideKeeperDeps) {
    this.deps = deps;
  }

  /** Throws StoreError; `stale_epoch` when the number of lanes has changed since the store was opened. */
  async record(): Promise<void> {
    const { store, now } = this.deps;
    const token = await currentToken(store);
    // A history that stands still may be over.
    if (token === this.last) return assertCurrent(store);
    // The time is taken after the position: what is committed between them is repeated to a client, never skipped.
    const recorded = await store.recordTide(now(), token);
    if (recorded) this.last = token;
  }
}

async function currentToken(store: TideKeeperDeps['store']): Promise<string> {
  const { epoch } = layoutOf(store);
  const heads = await store.heads(epoch);
  const seqs: readonly Seq[] = heads.map(({ head }) => head);
  return encodeCheckpoint({ historyId: store.history.id, position: { epoch, seqs } });
}

/** A transaction that reads one lane and writes nothing: it is refused in an epoch that was closed. */
async function assertCurrent(store: TideKeeperDeps['store']): Promise<void> {
  const request = { epoch: layoutOf(store).epoch, lanes: [brandAs<Lane>(0)], documents: [], changes: [] };
  await store.transact(request, () => ({ plan: { entries: [], states: [], superseded: [] }, result: undefined }));
}

function layoutOf({ history }: TideKeeperDeps['store']): LaneEpoch {
  const layout = history.epochs.at(-1);
  if (layout === undefined) throw new Error('a history without an epoch');
  return layout;
}
