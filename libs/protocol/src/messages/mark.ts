import { z } from 'zod';

/** `sync:mark`. */
export const markMessage = z.object({}).nullish();
export type MarkMessage = z.infer<typeof markMessage>;
