import { z } from 'zod';
import { ackMessage } from './ack.ts';
import { errorFields } from './fields.ts';

/** The answer to `sync:changeBatch`; results in the order of the request. */
export const batchAckMessage = z.object({
  success: z.boolean(),
  results: z.array(ackMessage),
  totalProcessed: z.number(),
  successCount: z.number(),
  latency: z.number(),
  ...errorFields,
});
export type BatchAckMessage = z.infer<typeof batchAckMessage>;
