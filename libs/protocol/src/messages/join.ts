import { z } from 'zod';
import * as limits from '../limits.ts';
import { checkpointField, tokenField, userIdField } from './fields.ts';
import { subscriptionMessage } from './subscription.ts';

/** `sync:join`. `protocol` asks for the modern stream; without it the socket is an old client. */
export const joinMessage = z.object({
  userId: userIdField.nullish(),
  token: tokenField.nullish(),
  clientId: z.string().max(limits.userId).nullish(),
  protocol: z.int().nullish(),
  subscriptions: z.array(subscriptionMessage).max(limits.subscriptionsPerSocket).nullish(),
  checkpoint: checkpointField.nullish(),
});
export type JoinMessage = z.infer<typeof joinMessage>;
