import { z } from 'zod';
import * as limits from '../limits.ts';

/** Building blocks that several messages share. Objects let unknown keys pass: clients in the field send more than they need. */
export const collectionField = z.string().min(1).max(limits.collectionName);
export const filterField = z.string().max(limits.filter);
export const argsField = z.array(z.unknown()).max(limits.filterArguments);
export const tokenField = z.string().max(limits.token);
export const checkpointField = z.string().max(limits.checkpoint);
export const userIdField = z.string().min(1).max(limits.userId);
export const timestampField = z.number().min(0).max(8.64e15);
export const documentIdField = z.union([
  z.string(),
  z.strictObject({ $oid: z.string() }),
  z.strictObject({ $uuid: z.string() }),
]);
export const documentField = z.record(z.string(), z.unknown());
export const errorFields = {
  code: z.string().optional(),
  error: z.string().optional(),
  retryAfterMs: z.number().optional(),
};
