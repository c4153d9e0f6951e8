import { z } from 'zod';
import { documentField, documentIdField } from './fields.ts';

/** A committed change on its way to a client, as its view sees it. */
export const deliveredMessage = z.object({
  id: z.string(),
  userId: z.string().nullable(),
  timestamp: z.number(),
  operation: z.enum(['insert', 'update', 'delete']),
  collection: z.string(),
  documentId: documentIdField,
  data: documentField.optional(),
  unset: z.array(z.string()).optional(),
  reason: z.enum(['deleted', 'left']).optional(),
  version: z.number(),
  subscription: z.string().optional(),
});
export type DeliveredMessage = z.infer<typeof deliveredMessage>;
