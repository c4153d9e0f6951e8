import { z } from 'zod';
import * as limits from '../limits.ts';
import { boundedName } from './fields.ts';

/** `mongoDelete`, the oldest dialect. */
export const mongoDeleteMessage = z.object({
  collection: z.string(),
  query: z.object({ _id: z.unknown().optional() }),
  patchId: boundedName(limits.changeId).nullish(),
});
export type MongoDeleteMessage = z.infer<typeof mongoDeleteMessage>;
