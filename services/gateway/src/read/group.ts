import type { CollectionName, Document, Entry, Json } from '@tidemark/protocol';
import { type BoundQuery, canonical, compile, equalities, lookupKey, type Predicate } from '@tidemark/rql';

/** A receiver that groups know only by identity. */
export interface Member {
  readonly id: string;
}

/** All receivers with the same collection and the same filter, arguments and read rule included. */
export class Group {
  readonly key: string;
  readonly collection: CollectionName;
  readonly query: BoundQuery;
  readonly predicate: Predicate;
  /** Member → how many of its subscriptions are this one. */
  readonly members = new Map<Member, number>();
  /** The equality that finds the group in the index; undefined: it is found by scanning. */
  readonly access: { readonly path: string; readonly keys: readonly string[] } | undefined;

  constructor(key: string, collection: CollectionName, query: BoundQuery) {
    this.key = key;
    this.collection = collection;
    this.query = query;
    this.predicate = compile(query);
    this.access = bestAccess(query);
  }

  matches(document: Document | null): boolean {
    return document !== null && this.predicate(document as Readonly<Record<string, Json>>);
  }

  membershipOf(entry: Entry): { readonly before: boolean; readonly after: boolean } {
    return { before: this.matches(entry.before), after: this.matches(entry.after) };
  }
}

export function groupKey(collection: CollectionName, query: BoundQuery): string {
  return `${collection}\u0000${canonical(query)}`;
}

/** The equality with the fewest values. */
function bestAccess(query: BoundQuery): Group['access'] {
  let best: Group['access'];
  for (const { path, values } of equalities(query)) {
    if (best === undefined || values.length < best.keys.length)
      best = { path, keys: [...new Set(values.map(lookupKey))] };
  }
  return best;
}
