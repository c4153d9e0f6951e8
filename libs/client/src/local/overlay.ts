import type { Document, DocumentId, Json } from '@tidemark/protocol/core';
import type { OutboxEntry } from './records.ts';

/**
 * The document as its user sees it: the server's version with the user's own writes on top, in their order.
 * Undefined: there is none. An update of what the user has deleted stays deleted, as on the server.
 */
export function withOverlay(truth: Document | undefined, entries: readonly OutboxEntry[]): Document | undefined {
  let document = truth;
  let deleted = false;
  for (const entry of entries) {
    if (entry.hidden === 'all') continue;
    if (entry.operation === 'update') {
      if (!deleted) document = updated(document ?? { _id: entry.documentId }, entry);
    } else {
      deleted = entry.operation === 'delete';
      document = deleted ? undefined : inserted(entry.documentId, entry.data);
    }
  }
  return document;
}

function updated(document: Document, { data, unset, hidden }: OutboxEntry): Document {
  if (hidden === undefined || hidden === 'all') return patched(document, data, unset);
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

function inserted(documentId: DocumentId, data: Readonly<Record<string, Json>>): Document {
  return { _id: documentId, ...data } as Document;
}
