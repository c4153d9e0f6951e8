import { z } from 'zod';
import { documentField } from './fields.ts';

/** The answer to one change. */
export const ackMessage = z.object({
  changeId: z.string(),
  success: z.boolean(),
  timestamp: z.number(),
  outcome: z.enum(['applied', 'superseded', 'duplicate', 'rejected']),
  lane: z.number().optional(),
  seq: z.number().optional(),
  code: z.string().optional(),
  error: z.string().optional(),
  retryAfterMs: z.number().optional(),
  current: documentField.nullish(),
});
export type AckMessage = z.infer<typeof ackMessage>;
