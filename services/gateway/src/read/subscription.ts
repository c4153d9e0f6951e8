import type { CollectionName } from '@tidemark/protocol';
import type { BoundQuery } from '@tidemark/rql';
import { type Group, groupKey } from './group.ts';

/** What a client asked for, parsed, with the read rule in it. */
export interface SubscriptionRequest {
  readonly id: string;
  readonly collection: CollectionName;
  /** What the client asked for. */
  readonly filter: BoundQuery;
  /** Filter AND read rule: what it gets. */
  readonly query: BoundQuery;
  /** `true`: the documents are wanted whole. `false`: only what comes from now on. Undefined: whole, unless it resumes. */
  readonly bootstrap: boolean | undefined;
}

/** A subscription of one socket. */
export interface Subscription {
  id: string;
  /** Its id from the answer on that the client is about to get: a page may be on its way still. */
  nextId: string;
  readonly collection: CollectionName;
  readonly filter: BoundQuery;
  group: Group;
  needsBootstrap: boolean;
  /** The client has been answered: pages and changes of it may follow. */
  announced: boolean;
  ended: boolean;
}

/** Equal requests see the same documents. */
export function viewKey(request: SubscriptionRequest): string {
  return groupKey(request.collection, request.query);
}
