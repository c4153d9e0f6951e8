import { z } from 'zod';
import * as limits from '../limits.ts';
import { argsField, collectionField, filterField } from './fields.ts';

/** What a client wants to hold: the documents of a collection that match a filter. */
export const subscriptionMessage = z.object({
  collection: collectionField,
  filter: filterField.nullish(),
  query: filterField.nullish(),
  args: argsField.nullish(),
  name: z.string().max(limits.subscriptionId).nullish(),
  id: z.string().min(1).max(limits.subscriptionId).nullish(),
  bootstrap: z.boolean().nullish(),
});
export type SubscriptionMessage = z.infer<typeof subscriptionMessage>;
