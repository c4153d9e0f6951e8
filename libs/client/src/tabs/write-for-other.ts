import type { WriteBatch } from '../local/records.ts';
import type { TabClient } from './shared-driver.ts';

/**
 * In the tab that leads: makes what another tab wants written its own, and resolves when it is in the store. What is there already is
 * left alone. When it cannot be stored nothing is left of its writes. Throws LocalStoreError.
 */
export async function writeForOther(
  batch: WriteBatch,
  { database, adopt, flushed, subscriptions }: TabClient,
  isClaimed: (subscription: string) => boolean,
): Promise<void> {
  // What has left the outbox here, and not yet the store, is not begun again.
  const isLeaving = (id: string) => database.journal.dirty.entries.has(id);
  const added = batch.putEntries.filter(({ id }) => !database.outbox.get(id) && !isLeaving(id));
  adopt(added.map(({ id }) => id));
  database.mutate(() => {
    for (const entry of added) database.outbox.add(entry);
    for (const entry of added) database.clock.observe(entry.timestamp);
    for (const id of batch.deleteEntries) database.outbox.remove(id);
    for (const record of batch.putSubscriptions) {
      if (subscriptions.get(record.id)) subscriptions.update(record);
      else subscriptions.add(record);
    }
    for (const id of batch.deleteSubscriptions) {
      const claimed = isClaimed(id) ? subscriptions.get(id) : undefined;
      // It was claimed while the other tab ended it: that one takes it back when it hears of it.
      if (claimed) subscriptions.update(claimed.record);
      else subscriptions.remove(id, { kind: 'ended' });
    }
  });
  try {
    await flushed();
  } catch (error) {
    database.mutate(() => {
      for (const { id } of added) database.outbox.remove(id);
    });
    throw error;
  }
}
