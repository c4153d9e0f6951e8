import { z } from 'zod';
import { errorFields } from './fields.ts';

/** The answer to `sync:join`. */
export const joinAckMessage = z.object({
  success: z.literal(true),
  userId: z.string(),
  timestamp: z.number(),
  protocol: z.number(),
  historyId: z.string(),
  checkpoint: z.string(),
  subscriptionVersion: z.number(),
  subscriptionIds: z.array(z.string()).optional(),
  limits: z.object({
    maxBatchSize: z.number(),
    maxMessageBytes: z.number(),
    rateLimitMax: z.number(),
    rateLimitWindowMs: z.number(),
  }),
});
export type JoinAckMessage = z.infer<typeof joinAckMessage>;

/** The event `joined`. */
export const joinedMessage = z.object({ userId: z.string(), timestamp: z.number(), subscriptionVersion: z.number() });
export type JoinedMessage = z.infer<typeof joinedMessage>;

/** The answer to anything that was refused. */
export const refusalMessage = z.object({ success: z.literal(false), ...errorFields });
export type RefusalMessage = z.infer<typeof refusalMessage>;
