import { z } from 'zod';
import * as limits from '../limits.ts';
import { boundedList, boundedText, checkpointField, tokenField, userIdField } from './fields.ts';
import { subscriptionMessage } from './subscription.ts';

/** `sync:join`. `protocol` asks for the modern stream; without it the socket is an old client. */
export const joinMessage = z.object({
  userId: userIdField.nullish(),
  token: tokenField.nullish(),
  clientId: boundedText(limits.userId).nullish(),
  protocol: z.int().nullish(),
  subscriptions: boundedList(subscriptionMessage, limits.subscriptionsPerSocket).nullish(),
  checkpoint: checkpointField.nullish(),
});
export type JoinMessage = z.infer<typeof joinMessage>;
