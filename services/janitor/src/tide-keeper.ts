import { encodeCheckpoint, type Seq } from '@tidemark/protocol';
import type { History, LogStore, TideStore } from '@tidemark/storage';

export interface TideKeeperDeps {
  readonly store: LogStore & TideStore & { readonly history: History };
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

  /** Throws StoreError. */
  async record(): Promise<void> {
    const { store, now } = this.deps;
    const token = await currentToken(store);
    if (token === this.last) return;
    // The time is taken after the position: what is committed between them is repeated to a client, never skipped.
    const recorded = await store.recordTide(now(), token);
    if (recorded) this.last = token;
  }
}

async function currentToken(store: TideKeeperDeps['store']): Promise<string> {
  const { id: historyId, epochs } = store.history;
  const layout = epochs.at(-1);
  if (layout === undefined) throw new Error('a history without an epoch');
  const heads = await store.heads(layout.epoch);
  const seqs: readonly Seq[] = heads.map(({ head }) => head);
  return encodeCheckpoint({ historyId, position: { epoch: layout.epoch, seqs } });
}
