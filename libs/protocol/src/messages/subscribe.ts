import type { z } from 'zod';
import { checkpointField } from './fields.ts';
import { subscriptionMessage } from './subscription.ts';

/** `sync:subscribe`. */
export const subscribeMessage = subscriptionMessage.extend({ checkpoint: checkpointField.nullish() });
export type SubscribeMessage = z.infer<typeof subscribeMessage>;
