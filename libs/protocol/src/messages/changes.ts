import { z } from 'zod';
import { deliveredMessage } from './delivered.ts';

/** `sync:changes`: two arguments, the changes in order and the checkpoint after them. */
export const changesMessage = z.tuple([z.array(deliveredMessage), z.object({ checkpoint: z.string() })]);
export type ChangesMessage = z.infer<typeof changesMessage>;

/** The answer to `sync:get_changes`. */
export const changesPageMessage = z.object({
  success: z.literal(true),
  changes: z.array(deliveredMessage),
  latestTimestamp: z.number(),
  checkpoint: z.string(),
  hasMore: z.boolean(),
  count: z.number(),
});
export type ChangesPageMessage = z.infer<typeof changesPageMessage>;
