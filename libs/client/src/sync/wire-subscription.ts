import type { SubscriptionRecord } from '../local/records.ts';

/** A subscription as it is sent; one that no checkpoint covers asks for its documents. JSON leaves out what is undefined. */
export function wireSubscription(record: SubscriptionRecord, isCovered: boolean) {
  const { id, collection, filter, args, name } = record;
  return {
    id,
    collection,
    filter,
    args: args.length > 0 ? args : undefined,
    name,
    bootstrap: isCovered ? undefined : true,
  };
}
