import type { LocalDatabase } from '../local/database.ts';
import { documentRef } from '../local/document-ref.ts';
import type { DocumentRecord, StoredState, SubscriptionRecord, WriteBatch } from '../local/records.ts';

/** Takes over what another tab has written to the store that both share. */
export function takeBatch(database: LocalDatabase, batch: WriteBatch): void {
  database.mutate(() => {
    for (const { collection, key } of batch.deleteDocuments) database.documents.forget(collection, key);
    for (const id of batch.deleteEntries) database.outbox.forget(id);
    for (const id of batch.deleteSubscriptions) database.forgetSubscription(id);
    database.load({
      documents: batch.putDocuments,
      entries: batch.putEntries,
      subscriptions: batch.putSubscriptions,
      meta: batch.meta,
    });
  });
}

/**
 * Shows what the store holds now, in place of what was told of it. Writes and subscriptions that we still want to write or to remove
 * ourselves, in `own` or because they are dirty, stay as they are here.
 */
export function takeState(database: LocalDatabase, state: StoredState, own: readonly WriteBatch[]): void {
  const { entries, subscriptions } = database.journal.dirty;
  const ourEntries = new Set([...entries, ...own.flatMap(entryIds)]);
  const ourSubscriptions = new Set([...subscriptions, ...own.flatMap(subscriptionIds)]);
  database.mutate(() => {
    forgetDocuments(database, state);
    const storedEntries = new Set(state.entries.map(({ id }) => id));
    for (const { id } of [...database.outbox.entries()]) {
      if (!storedEntries.has(id) && !ourEntries.has(id)) database.outbox.forget(id);
    }
    const storedSubscriptions = new Set(state.subscriptions.map(({ id }) => id));
    for (const id of [...database.subscriptions.keys()]) {
      if (!storedSubscriptions.has(id) && !ourSubscriptions.has(id)) database.forgetSubscription(id);
    }
    database.load({
      ...state,
      documents: state.documents.filter((record) => !isHeld(database, record)),
      // What is stored of our own write may be further on; what we have removed is gone.
      entries: state.entries.filter(({ id }) => !ourEntries.has(id) || database.outbox.get(id)),
      subscriptions: state.subscriptions.filter(({ id }) => !ourSubscriptions.has(id)),
    });
  });
}

/**
 * Like `takeState`, for the one who is to write to the store from now on. A write that is undecided as far as we were told, and that
 * the store no longer has, was decided without a word: it is sent once more, and the server repeats its answer.
 */
export function takeOver(database: LocalDatabase, state: StoredState, own: readonly WriteBatch[]): void {
  const stored = new Set(state.entries.map(({ id }) => id));
  // What the store may not have any more is written again.
  for (const { id, stage } of database.outbox.entries()) {
    if (stage === 'accepted' && !stored.has(id)) database.journal.entry(id);
  }
  takeState(database, state, own);
}

/**
 * What the store lacks of a tab's own writes and subscriptions. The rest was written by a leader that could not tell: when there is no
 * room for it now, nobody may hear that it was not kept.
 */
export function missingIn({ entries, subscriptions }: StoredState, batch: WriteBatch): WriteBatch {
  const storedEntries = new Set(entries.map(({ id }) => id));
  const storedSubscriptions = new Map(subscriptions.map((record) => [record.id, record]));
  return {
    ...batch,
    putEntries: batch.putEntries.filter(({ id }) => !storedEntries.has(id)),
    deleteEntries: batch.deleteEntries.filter((id) => storedEntries.has(id)),
    putSubscriptions: batch.putSubscriptions.filter((record) => !isSame(record, storedSubscriptions.get(record.id))),
    deleteSubscriptions: batch.deleteSubscriptions.filter((id) => storedSubscriptions.has(id)),
  };
}

/** Of two records of a subscription: nobody has asked for it in between. */
export function isSame(one: SubscriptionRecord, other: SubscriptionRecord | undefined): boolean {
  return one.claimedAt === other?.claimedAt && one.name === other.name;
}

function forgetDocuments({ documents }: LocalDatabase, state: StoredState): void {
  const stored = new Set(state.documents.map(({ collection, key }) => documentRef(collection, key)));
  for (const collection of documents.collections()) {
    for (const key of [...documents.ofCollection(collection).keys()]) {
      if (!stored.has(documentRef(collection, key))) documents.forget(collection, key);
    }
  }
}

/** The very same version; observers need not hear of it again. */
function isHeld({ documents }: LocalDatabase, { collection, key, document }: DocumentRecord): boolean {
  const held = documents.get(collection, key)?.document;
  return held?.sync_version !== undefined && held.sync_version === document.sync_version;
}

function entryIds({ putEntries, deleteEntries }: WriteBatch): readonly string[] {
  return [...putEntries.map(({ id }) => id), ...deleteEntries];
}

/** Of the subscriptions that are put or deleted. */
export function subscriptionIds({ putSubscriptions, deleteSubscriptions }: WriteBatch): readonly string[] {
  return [...putSubscriptions.map(({ id }) => id), ...deleteSubscriptions];
}
