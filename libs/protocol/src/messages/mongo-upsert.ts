import { z } from 'zod';
import * as limits from '../limits.ts';
import { boundedName, documentField } from './fields.ts';

/** `mongoUpsert`, the oldest dialect. */
export const mongoUpsertMessage = z.object({
  collection: z.string(),
  update: documentField,
  query: z.object({ _id: z.unknown().optional() }).nullish(),
  patchId: boundedName(limits.changeId).nullish(),
});
export type MongoUpsertMessage = z.infer<typeof mongoUpsertMessage>;
