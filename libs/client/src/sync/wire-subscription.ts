import type { Json } from '@tidemark/protocol/core';
import type { SubscriptionRecord } from '../local/records.ts';

export interface WireSubscription {
  readonly id: string;
  readonly collection: string;
  readonly filter: string;
  readonly args?: readonly Json[];
  readonly name?: string;
  readonly bootstrap?: true;
}

/** A subscription as it is sent; one that no checkpoint covers asks for its documents. */
export function wireSubscription(record: SubscriptionRecord, isCovered: boolean): WireSubscription {
  const { id, collection, filter, args, name } = record;
  return {
    id,
    collection,
    filter,
    ...(args.length > 0 && { args }),
    ...(name !== undefined && { name }),
    ...(!isCovered && { bootstrap: true }),
  };
}
