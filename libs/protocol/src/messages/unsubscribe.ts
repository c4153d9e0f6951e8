import { z } from 'zod';
import * as limits from '../limits.ts';
import { argsField, collectionField, filterField } from './fields.ts';

/** `sync:unsubscribe`, by id or by what was subscribed. */
export const unsubscribeMessage = z.object({
  subscriptionId: z.string().min(1).max(limits.subscriptionId).nullish(),
  collection: collectionField.nullish(),
  filter: filterField.nullish(),
  query: filterField.nullish(),
  args: argsField.nullish(),
});
export type UnsubscribeMessage = z.infer<typeof unsubscribeMessage>;
