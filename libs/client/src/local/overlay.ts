import type { Document, Json } from '@tidemark/protocol/core';
import type { OutboxEntry } from './records.ts';

/**
 * The document as its user sees it: the server's version with the user's own writes on top, in their order.
 * Undefined: there is none. An update of what the user has deleted stays deleted, as on the server.
 */
export function withOverlay(truth: Document | undefined, entries: readonly OutboxEntry[]): Document | undefined {
  let document = truth;
  let deleted = false;
  for (const entry of entries) {
    if (entry.hidden !== undefined) document = deleted ? undefined : underlaid(document, entry);
    else if (entry.operation !== 'update') {
      // A delete that lost kills nothing on the server: an update after it counts.
      deleted = entry.operation === 'delete' && (entry.stage !== 'lost' || entry === entries.at(-1));
      document = entry.operation === 'delete' ? undefined : { _id: entry.documentId, ...entry.data };
    } else if (!deleted || entry.stage === 'applied') {
      // One that was applied found a document, whoever has made it.
      deleted = false;
      document = patched(document ?? { _id: entry.documentId }, entry.data, entry.unset);
    }
  }
  return document;
}

/** A write that lies below one which is visible already adds only what that one left alone. */
function underlaid(
  document: Document | undefined,
  { hidden, operation, data, unset }: OutboxEntry,
): Document | undefined {
  if (document === undefined || hidden === undefined || hidden === 'all' || operation === 'delete') return document;
  const isShown = (name: string) => !hidden.includes(name);
  const shown = Object.fromEntries(Object.entries(data).filter(([name]) => isShown(name)));
  return patched(document, shown, unset.filter(isShown));
}

/** A copy with the given fields merged in and others removed. */
export function patched(document: Document, data: Readonly<Record<string, Json>>, unset: readonly string[]): Document {
  const next: Record<string, Json> = { ...document, ...data, _id: document._id };
  for (const name of unset) delete next[name];
  return next as Document;
}
