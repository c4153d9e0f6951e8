import { z } from 'zod';

/** `expiresAt` is missing for a token that does not expire. */
export const authAckMessage = z.object({ success: z.literal(true), expiresAt: z.number().optional() });
export type AuthAckMessage = z.infer<typeof authAckMessage>;

export const subscribeAckMessage = z.object({
  success: z.literal(true),
  subscriptionId: z.string(),
  resumed: z.boolean(),
  count: z.number(),
});
export type SubscribeAckMessage = z.infer<typeof subscribeAckMessage>;

export const unsubscribeAckMessage = z.object({ success: z.literal(true), count: z.number() });
export type UnsubscribeAckMessage = z.infer<typeof unsubscribeAckMessage>;

export const updateSubscriptionsAckMessage = z.object({
  success: z.literal(true),
  version: z.number(),
  timestamp: z.number(),
  subscriptionIds: z.array(z.string()),
});
export type UpdateSubscriptionsAckMessage = z.infer<typeof updateSubscriptionsAckMessage>;

export const markAckMessage = z.object({ success: z.literal(true), checkpoint: z.string() });
export type MarkAckMessage = z.infer<typeof markAckMessage>;
