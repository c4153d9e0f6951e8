import { z } from 'zod';
import * as limits from '../limits.ts';

/**
 * Text of at most `max` UTF-16 units. zod's own `.max` measures whatever has a `length`, and throws when an object's
 * cannot be compared; this one measures only what it is for.
 */
export function boundedText(max: number) {
  return z.string().check(new z.core.$ZodCheckMaxLength({ check: 'max_length', maximum: max, when: isText }));
}

/** The same, not empty. */
export function boundedName(max: number) {
  return boundedText(max).check(new z.core.$ZodCheckMinLength({ check: 'min_length', minimum: 1, when: isText }));
}

/** A list of at most `max` members, measured as carefully. */
export function boundedList<T extends z.ZodType>(member: T, max: number) {
  return z.array(member).check(new z.core.$ZodCheckMaxLength({ check: 'max_length', maximum: max, when: isList }));
}

const isText = ({ value }: z.core.ParsePayload) => typeof value === 'string';
const isList = ({ value }: z.core.ParsePayload) => Array.isArray(value);

/** Building blocks that several messages share. Objects let unknown keys pass: clients in the field send more than they need. */
export const collectionField = boundedName(limits.collectionName);
export const filterField = boundedText(limits.filter);
export const argsField = boundedList(z.unknown(), limits.filterArguments);
export const tokenField = boundedText(limits.token);
export const checkpointField = boundedText(limits.checkpoint);
export const userIdField = boundedName(limits.userId);
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
