import type { Epoch, Lane, Seq } from '@tidemark/protocol';
import { type CommitStore, StoreError } from '@tidemark/storage';
import type { Logger } from '@tidemark/telemetry';
import type { Bus } from '@tidemark/transport';
import { withinTime } from '../within-time.ts';

export interface HeartbeatDeps {
  readonly store: CommitStore;
  readonly bus: Bus;
  readonly epoch: Epoch;
  /** How long the bus may take. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** Lanes that are served and are not about to publish anything. */
  readonly quietLanes: () => readonly Lane[];
  /** Called with the store's error when the epoch is over. */
  readonly onStale: (error: StoreError) => void;
}

/**
 * Tells how far every quiet lane is, from the store: what was committed and never published shows as a gap.
 * A lane that gets work meanwhile is left out; its own news carries its head. Never rejects.
 */
export async function beat(deps: HeartbeatDeps): Promise<void> {
  const { store, bus, epoch, timeoutMs, logger, quietLanes, onStale } = deps;
  const lanes = quietLanes();
  if (lanes.length === 0) return;
  try {
    const heads = await readHeads(store, epoch, lanes);
    const quiet = new Set(quietLanes());
    const due = heads.filter(({ lane }) => quiet.has(lane));
    const sending = due.map(({ lane, head }) => bus.publishFeed({ epoch, lane, head, entries: [] }));
    await withinTime(sending, timeoutMs);
  } catch (error) {
    logger.warn({ err: error }, 'no heartbeat of the lanes');
    if (StoreError.is(error, 'stale_epoch')) onStale(error);
  }
}

function readHeads(
  store: CommitStore,
  epoch: Epoch,
  lanes: readonly Lane[],
): Promise<readonly { lane: Lane; head: Seq }[]> {
  return store.transact({ epoch, lanes, documents: [], changes: [] }, (snapshot) => ({
    plan: { entries: [], states: [], superseded: [] },
    result: lanes.map((lane) => ({ lane, head: snapshot.head(lane) })),
  }));
}
