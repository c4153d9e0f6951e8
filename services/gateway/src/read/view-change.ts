import { type DeliveredMessage, type Document, documentKey, type Entry } from '@tidemark/protocol';

/** What an entry means to a view, by whether the document was in it before and is in it after. */
export type Effect = 'whole' | 'patch' | 'deleted' | 'left';

export interface Membership {
  readonly before: boolean;
  readonly after: boolean;
}

/** Undefined: the view does not see the entry. */
export function effectOf(entry: Entry, { before, after }: Membership): Effect | undefined {
  if (after) return before && entry.operation === 'update' ? 'patch' : 'whole';
  if (!before) return undefined;
  return entry.after === null ? 'deleted' : 'left';
}

/** Makes the messages of one entry, each effect once: many clients get the same. */
export class EntryMessages {
  private readonly made: Partial<Record<Effect, DeliveredMessage>> = {};
  private readonly entry: Entry;

  constructor(entry: Entry) {
    this.entry = entry;
  }

  get(effect: Effect): DeliveredMessage {
    this.made[effect] ??= this.make(effect);
    return this.made[effect];
  }

  private make(effect: Effect): DeliveredMessage {
    const { entry } = this;
    const head = { id: entry.id, userId: entry.author, timestamp: entry.timestamp };
    const place = { collection: entry.collection, documentId: entry.documentId, version: entry.seq };
    if (effect === 'whole') return { ...head, operation: 'insert', ...place, data: { ...entry.after } };
    if (effect === 'deleted' || effect === 'left') return { ...head, operation: 'delete', reason: effect, ...place };
    const data = { ...entry.data };
    if (entry.unset === undefined || entry.unset.length === 0) return { ...head, operation: 'update', ...place, data };
    return { ...head, operation: 'update', ...place, data, unset: [...entry.unset] };
  }
}

/** A document as it stands, as if it had just been inserted. Without metadata it is the oldest. */
export function asInsert(collection: string, document: Document): DeliveredMessage {
  const version = document.sync_version ?? 0;
  return {
    id: `${collection}/${documentKey(document._id)}@${version}`,
    userId: document._updated_by ?? null,
    timestamp: document.sync_updated_at ?? 0,
    operation: 'insert',
    collection,
    documentId: document._id,
    version,
    data: { ...document },
  };
}
