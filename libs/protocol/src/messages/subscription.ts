import { z } from 'zod';
import * as limits from '../limits.ts';
import { argsField, boundedName, boundedText, collectionField, filterField } from './fields.ts';

/** What a client wants to hold: the documents of a collection that match a filter. */
export const subscriptionMessage = z.object({
  collection: collectionField,
  filter: filterField.nullish(),
  query: filterField.nullish(),
  args: argsField.nullish(),
  name: boundedText(limits.subscriptionId).nullish(),
  id: boundedName(limits.subscriptionId).nullish(),
  bootstrap: z.boolean().nullish(),
});
export type SubscriptionMessage = z.infer<typeof subscriptionMessage>;
