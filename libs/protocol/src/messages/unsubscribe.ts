import { z } from 'zod';
import * as limits from '../limits.ts';
import { argsField, boundedName, collectionField, filterField } from './fields.ts';

/** `sync:unsubscribe`, by id or by what was subscribed. */
export const unsubscribeMessage = z.object({
  subscriptionId: boundedName(limits.subscriptionId).nullish(),
  collection: collectionField.nullish(),
  filter: filterField.nullish(),
  query: filterField.nullish(),
  args: argsField.nullish(),
});
export type UnsubscribeMessage = z.infer<typeof unsubscribeMessage>;
