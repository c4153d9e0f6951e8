import type { DemoUser } from '../demo-user.ts';
import { type Cell, cellCount, cellId } from '../documents.ts';
import type { LatencyBook } from './latency-book.ts';

/**
 * Writes every square of the strip at once. Resolves with the milliseconds until the other user has them all; undefined when one
 * of the two is not connected, since then it takes as long as people want.
 */
export async function burst(from: DemoUser, to: DemoUser, book: LatencyBook): Promise<number | undefined> {
  const wave = Date.now();
  const begun = performance.now();
  const isMeasured = from.client.status.connected && to.client.status.connected;
  const arrived = isMeasured ? allArrived(to, wave) : undefined;
  const cells = from.client.collection('cells');
  const writes = Array.from({ length: cellCount }, (_, index) => {
    const id = cellId(index);
    book.begin(from.client, 'cells', id);
    return cells.insert({ _id: id, by: from.id, wave });
  });
  await Promise.all(writes);
  await arrived;
  return arrived && performance.now() - begun;
}

function allArrived({ client }: DemoUser, wave: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = client
      .collection<Cell>('cells')
      .query('wave >= $0', wave)
      .observe(({ documents }) => {
        if (documents.length < cellCount) return;
        // The observer may be called before there is a function to end it with.
        queueMicrotask(() => stop());
        resolve();
      });
  });
}
