import { z } from 'zod';
import * as limits from '../limits.ts';
import { boundedList, boundedName, boundedText, timestampField } from './fields.ts';

/** One change as clients send it (`sync:change`, members of batches, REST). Names of all client generations. */
export const changeMessage = z.object({
  id: boundedName(limits.changeId).nullish(),
  patchId: boundedName(limits.changeId).nullish(),
  operation: z.string(),
  collection: z.string().nullish(),
  collectionName: z.string().nullish(),
  documentId: z.unknown().optional(),
  data: z.unknown().optional(),
  unset: boundedList(boundedText(limits.fieldName), limits.unsetFields).nullish(),
  timestamp: timestampField.nullish(),
  version: z.int().min(0).nullish(),
});
export type ChangeMessage = z.infer<typeof changeMessage>;
