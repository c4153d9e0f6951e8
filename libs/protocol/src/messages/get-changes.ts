import { z } from 'zod';
import { argsField, checkpointField, collectionField, filterField, timestampField } from './fields.ts';

/** `sync:get_changes`: a page of history by checkpoint, or by time for clients that know no more. */
export const getChangesMessage = z.object({
  since: timestampField.nullish(),
  checkpoint: checkpointField.nullish(),
  limit: z.int().min(1).nullish(),
  collection: collectionField.nullish(),
  filter: filterField.nullish(),
  query: filterField.nullish(),
  args: argsField.nullish(),
});
export type GetChangesMessage = z.infer<typeof getChangesMessage>;
