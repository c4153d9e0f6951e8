import { z } from 'zod';
import * as limits from '../limits.ts';
import { boundedList, checkpointField } from './fields.ts';
import { subscriptionMessage } from './subscription.ts';

/** `sync:update_subscriptions`: the whole set of the socket. */
export const updateSubscriptionsMessage = z.object({
  subscriptions: boundedList(subscriptionMessage, limits.subscriptionsPerSocket),
  checkpoint: checkpointField.nullish(),
});
export type UpdateSubscriptionsMessage = z.infer<typeof updateSubscriptionsMessage>;
