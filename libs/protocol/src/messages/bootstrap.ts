import { z } from 'zod';
import { documentField } from './fields.ts';

/** `sync:bootstrap`: a page of the documents of a new subscription; the last one carries the checkpoint. */
export const bootstrapMessage = z.object({
  subscription: z.string(),
  collection: z.string(),
  data: z.array(documentField),
  page: z.number(),
  hasMore: z.boolean(),
  checkpoint: z.string().optional(),
});
export type BootstrapMessage = z.infer<typeof bootstrapMessage>;

/** `sync:bootstrap_error`. */
export const bootstrapErrorMessage = z.object({
  subscription: z.string(),
  collection: z.string(),
  code: z.string(),
  error: z.string(),
});
export type BootstrapErrorMessage = z.infer<typeof bootstrapErrorMessage>;
