import type { DocumentKey } from '@tidemark/protocol';
import type { DocumentStore } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { ClientLink } from './client-link.ts';
import { PageSize } from './page-size.ts';
import type { Subscription } from './subscription.ts';

export interface BootstrapDeps {
  readonly documents: DocumentStore;
  readonly telemetry: Telemetry;
  readonly settings: { readonly bootstrapPage: number };
}

/** Where the listing of one subscription stands; kept over a failed read, so that pages go on where they stopped. */
export interface BootstrapProgress {
  after: DocumentKey | undefined;
  page: number;
  readonly size: PageSize;
  /** Failed reads since the last page. */
  failures: number;
}

export function beginBootstrap(deps: BootstrapDeps): BootstrapProgress {
  return { after: undefined, page: 0, size: new PageSize(deps.settings.bootstrapPage), failures: 0 };
}

/**
 * Sends all pages; `beforeLast` gives the token that the last one carries. The next page is read only when the client has
 * room for it. False when the pages were no longer wanted before the last one. Throws StoreError.
 */
export async function sendDocuments(
  deps: BootstrapDeps,
  target: { link: ClientLink; subscription: Subscription; progress: BootstrapProgress; isWanted: () => boolean },
  beforeLast: () => Promise<string>,
): Promise<boolean> {
  const { link, subscription, progress, isWanted } = target;
  for (;;) {
    if (link.isClogged()) await link.whenDrained();
    if (!isWanted()) return false;
    const limit = progress.size.current;
    const query = subscription.group.query;
    const { documents, next } = await deps.documents.readDocuments({
      collection: subscription.collection,
      query,
      after: progress.after,
      limit,
    });
    const token = next === undefined ? await beforeLast() : undefined;
    if (!isWanted()) return false;
    link.send('sync:bootstrap', {
      subscription: subscription.id,
      collection: subscription.collection,
      data: documents,
      page: progress.page++,
      hasMore: next !== undefined,
      ...(token !== undefined && { checkpoint: token }),
    });
    deps.telemetry.metrics.bootstrapDocuments.inc(documents.length);
    if (next === undefined) return true;
    progress.after = next;
    progress.failures = 0;
    progress.size.observe(documents);
  }
}
